"""Command lines of `docker build` and its likes.

Options: https://docs.docker.com/reference/cli/docker/buildx/build/. Here `--file` is found from the working folder
on, not from the context.
"""

from bot.domain.repositories.usage import Kind
from bot.formats.builds import DOCKERFILE, DockerBuild, arguments
from bot.formats.shell.commands import Command, is_literal
from bot.formats.shell.folders import Folders
from bot.formats.source.spanned import Spanned

_PROGRAMS = frozenset({"docker", "podman", "nerdctl", "buildah", "az", "depot"})
_VERBS = frozenset({"build", "b", "bud"})
_GROUPS = frozenset({"buildx", "image", "builder", "acr"})
_SWITCHES = frozenset(
    {"--pull", "--push", "--load", "--no-cache", "--quiet", "-q", "--rm", "--force-rm", "--squash", "--check"}
    | {"--debug", "-D", "--no-logs", "--no-wait", "--no-format", "--compress", "--no-push"}
)
"""Options without a value of their own; every other one takes the next word, unless it has a `=`."""
_SHORT = ("-f", "-t")


def build_of(command: Command, path: str, kind: Kind, folders: Folders) -> DockerBuild | None:
    """The build that a command asks for; None where it is none, or where it cannot be told of what."""
    words = list(command.words)
    if command.name not in _PROGRAMS:
        return None
    at = next((number for number, word in enumerate(words[:8]) if number and word.text in _VERBS), None)
    if at is None or not all(
        _is_before_verb(words[number - 1].text, words[number].text) for number in range(1, at)
    ):
        return None
    options, rest = _parsed(words[at + 1 :])
    context = rest[0] if rest else None
    written = _last(options, "--file", "-f")
    args = arguments([value for name, value in options if name == "--build-arg"])
    if written is not None:
        dockerfiles = folders.places(written)
    else:
        dockerfiles = folders.places(context, DOCKERFILE) if context is not None else ()
    if not dockerfiles:
        return None
    image = _last(options, "--tag", "-t", "--image")
    named = image.text if image is not None and is_literal(image) else None
    known = tuple(each for each in args if is_literal(each.value))
    return DockerBuild(path, kind, dockerfiles, known, named, statement=command.words[0].place(0))


def _is_before_verb(before: str, word: str) -> bool:
    """Whether a word may stand between the program and `build`: a group of commands, an option, or its value."""
    return word in _GROUPS or word.startswith("-") or (before.startswith("-") and "=" not in before)


def _parsed(words: list[Spanned]) -> tuple[list[tuple[str, Spanned]], list[Spanned]]:
    """Options with their values, and the other words."""
    options: list[tuple[str, Spanned]] = []
    rest: list[Spanned] = []
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        name, equals, _ = word.text.partition("=")
        if not word.text.startswith("-") or word.text == "-":
            rest.append(word)
        elif equals:
            options.append((name, word.part(len(name) + 1, len(word))))
        elif word.text in _SWITCHES:
            continue
        elif word.text[:2] in _SHORT and len(word.text) > 2 and not word.text.startswith("--"):
            options.append((word.text[:2], word.part(2, len(word))))
        elif at < len(words):
            options.append((word.text, words[at]))
            at += 1
    return options, rest


def _last(options: list[tuple[str, Spanned]], *names: str) -> Spanned | None:
    return next((value for name, value in reversed(options) if name in names), None)
