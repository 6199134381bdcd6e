"""Command lines of `docker build`, `docker buildx bake` and their likes.

Options: https://docs.docker.com/reference/cli/docker/buildx/build/ and …/bake/. Here `--file` is found from the
working folder on, not from the context.
"""

from collections.abc import Iterable, Iterator

from bot.domain.repositories.usage import Kind
from bot.files.formats.builds import DOCKERFILE, Argument, BakeOverride, DockerBuild, arguments
from bot.files.formats.shell.commands import Command, is_literal
from bot.files.formats.shell.folders import Folders
from bot.files.formats.shell.options import Grammar
from bot.files.formats.source.collector import IMAGE_CONTEXT
from bot.files.formats.source.spanned import Spanned

_PROGRAMS = frozenset({"docker", "podman", "nerdctl", "buildah", "az", "depot"})
_VERBS = frozenset({"build", "b", "bud"})
_BAKE = frozenset({"bake"})
BAKE_FILES = (
    *("docker-bake.json", "docker-bake.hcl", "docker-bake.override.json", "docker-bake.override.hcl"),
    *(f"{folder}docker-bake.{ending}" for folder in ("build/", ".docker/") for ending in ("json", "hcl")),
)
"""What Bake reads where no file is named."""
_PARTS_OF_SETTING = 3
_GROUPS = frozenset({"buildx", "image", "builder", "acr"})
_SWITCHES = frozenset(
    {"--pull", "--push", "--load", "--no-cache", "--quiet", "-q", "--rm", "--force-rm", "--squash", "--check"}
    | {"--debug", "-D", "--no-logs", "--no-wait", "--no-format", "--compress", "--no-push"}
)
_OPTIONS = Grammar(_SWITCHES, short=("-f", "-t"))


def build_of(command: Command, path: str, kind: Kind, folders: Folders) -> DockerBuild | None:
    """The build that a command asks for; None where it is none, or where it cannot be told of what."""
    words = _behind_verb(command, _VERBS)
    dockerfiles = dockerfiles_of(command, folders)
    if words is None or not dockerfiles:
        return None
    options, _ = _OPTIONS.parsed(words)
    args = arguments([value for name, value in options if name == "--build-arg"])
    image = _last(options, "--tag", "-t", "--image")
    image_name = image.text if image is not None and is_literal(image) else None
    known_args = tuple(each for each in args if is_literal(each.value))
    return DockerBuild(path, kind, dockerfiles, known_args, image_name, statement=command.words[0].place(0))


def dockerfiles_of(command: Command, folders: Folders) -> tuple[str, ...]:
    """The Dockerfiles that a command may build from, the likeliest first; none where it is no build."""
    words = _behind_verb(command, _VERBS)
    if words is None:
        return ()
    options, operands = _OPTIONS.parsed(words)
    dockerfile = _last(options, "--file", "-f")
    if dockerfile is not None:
        return folders.places(dockerfile)
    return folders.places(operands[0], DOCKERFILE) if operands else ()


def override_of(command: Command, path: str, kind: Kind, folders: Folders) -> BakeOverride | None:
    """What a command of Bake sets for targets; None where it sets no build argument, or is another command."""
    words = _behind_verb(command, _BAKE)
    if words is None:
        return None
    options, _ = _OPTIONS.parsed(words)
    bake_files = [value for name, value in options if name in ("--file", "-f") and is_literal(value)]
    places_of_files = (
        (folders.places(each) for each in bake_files) if bake_files else map(folders.beside, BAKE_FILES)
    )
    files = tuple(place for places in places_of_files for place in places)
    args = arguments_of_targets(value for name, value in options if name == "--set")
    return BakeOverride(path, kind, files, args, command.words[0].place(0)) if args else None


def arguments_of_targets(settings: Iterable[Spanned]) -> tuple[tuple[str, Argument], ...]:
    """Targets, or patterns of them, with what `TARGET.args.NAME=VALUE` sets; nothing else changes a base."""
    arguments_by_target: list[tuple[str, Argument]] = []
    for setting in settings:
        parts = setting.text.partition("=")[0].split(".", 2)
        if len(parts) == _PARTS_OF_SETTING and parts[1] == "args" and is_literal(setting):
            begin = len(parts[0]) + len(".args.")
            arguments_by_target += (
                (parts[0], argument) for argument in arguments([setting.part(begin, len(setting))])
            )
    return tuple(arguments_by_target)


def contexts_of(command: Command) -> Iterator[Spanned]:
    """The images that a command hands to builds in the place of a stage: `--build-context NAME=docker-image://IMAGE`,
    and `--set TARGET.contexts.NAME=docker-image://IMAGE` of Bake."""
    for verbs, option in ((_VERBS, "--build-context"), (_BAKE, "--set")):
        words = _behind_verb(command, verbs)
        options, _ = _OPTIONS.parsed(words) if words is not None else ([], [])
        yield from image_contexts(value for name, value in options if name == option)


def image_contexts(settings: Iterable[Spanned]) -> Iterator[Spanned]:
    """The images among `NAME=docker-image://IMAGE` and `TARGET.contexts.NAME=docker-image://IMAGE`."""
    for setting in settings:
        name, equals, _ = setting.text.partition("=")
        value = setting.part(len(name) + 1, len(setting))
        image = value.without_prefix(IMAGE_CONTEXT) if equals else None
        if image is not None and is_literal(image):
            yield image


def _behind_verb(command: Command, verbs: frozenset[str]) -> list[Spanned] | None:
    """The words behind one of `verbs`; None where the command is another one."""
    words = list(command.words)
    if command.name not in _PROGRAMS:
        return None
    verb_position = next((number for number, word in enumerate(words[:8]) if number and word.text in verbs), None)
    if verb_position is None or not all(
        _is_before_verb(words[number - 1].text, words[number].text) for number in range(1, verb_position)
    ):
        return None
    return words[verb_position + 1 :]


def _is_before_verb(before: str, word: str) -> bool:
    """Whether a word may stand between the program and `build`: a group of commands, an option, or its value."""
    return word in _GROUPS or word.startswith("-") or (before.startswith("-") and "=" not in before)


def _last(options: list[tuple[str, Spanned]], *names: str) -> Spanned | None:
    return next((value for name, value in reversed(options) if name in names), None)
