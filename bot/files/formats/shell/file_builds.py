"""Command lines that build what Bake and Compose files name: `docker buildx bake`, `docker compose build`, `push`.

Options: https://docs.docker.com/reference/cli/docker/buildx/bake/ and …/compose/. Variables come from the
environment, in Compose from `--env-file` or `.env` too.
"""

from collections.abc import Iterable, Iterator, Mapping

from bot.files.formats.builds import FileBuild
from bot.files.formats.compose.names import FOUND, FOUND_BESIDE
from bot.files.formats.shell.commands import UNKNOWN, Command, is_literal
from bot.files.formats.shell.docker import BAKE_FILES
from bot.files.formats.shell.folders import Folders
from bot.files.formats.shell.options import Grammar
from bot.files.formats.source.spanned import Spanned

COMPOSE_FILES = (*FOUND, *FOUND_BESIDE)
"""What Compose reads where no file is named."""
_COMPOSE_VERBS = ("build", "push")
_SWITCHES = frozenset(
    {"--push", "--load", "--no-cache", "--pull", "--print", "--check", "--debug", "-D", "--dry-run", "--verbose"}
    | {"--compatibility", "--all-resources", "--quiet", "-q", "--with-dependencies", "--include-deps", "--force-rm"}
    | {"--ignore-push-failures", "--no-rm", "--compress", "--parallel=true"}
)
_OPTIONS = Grammar(_SWITCHES, short=("-f",))
_REGISTRY = ("type=registry", "push=true")


def file_build_of(
    command: Command, path: str, line: int, folders: Folders, variables: Mapping[str, Spanned]
) -> FileBuild | None:
    """The build of Bake or Compose that a command asks for, where `variables` are set; None where it is none."""
    words = list(command.words)
    texts = [word.text for word in words]
    if command.name == "docker-compose" or (command.name in ("docker", "podman") and texts[1:2] == ["compose"]):
        return _compose(words[1 if command.name == "docker-compose" else 2 :], path, line, folders, variables)
    if command.name == "podman-compose":
        return _compose(words[1:], path, line, folders, variables)
    if "bake" in texts[1:4] and command.name in ("docker", "buildx", "docker-buildx", "depot"):
        return _bake(words[texts.index("bake") + 1 :], path, line, folders, variables)
    return None


def _bake(
    words: list[Spanned], path: str, line: int, folders: Folders, variables: Mapping[str, Spanned]
) -> FileBuild | None:
    options, operands = _OPTIONS.parsed(words)
    file_options = [value for name, value in options if name in ("-f", "--file")]
    if not all(map(is_literal, file_options)):
        return None
    places_of_files = [folders.places(option) for option in file_options] or [
        folders.beside(option) for option in _BAKE_LOOKS_FOR
    ]
    settings = [value.text for name, value in options if name == "--set"]
    pushes = any(name == "--push" for name, _ in options)
    return FileBuild(
        path,
        line,
        tuple(dict.fromkeys(place for places in places_of_files for place in places)),
        texts_of(variables, given_in(value.text for name, value in options if name == "--var")),
        tuple(tags_in(settings)),
        _targets(operands),
        pushes=pushes or any(mark in setting for setting in settings for mark in _REGISTRY),
    )


def _compose(
    words: list[Spanned], path: str, line: int, folders: Folders, variables: Mapping[str, Spanned]
) -> FileBuild | None:
    before, operands = _OPTIONS.parsed(words, until=_COMPOSE_VERBS)
    verb = operands[0].text if operands else ""
    if verb not in _COMPOSE_VERBS:
        return None
    options, services = _OPTIONS.parsed(operands[1:])
    options += before
    file_options = [value for name, value in options if name in ("-f", "--file")]
    by_environment = variables.get("COMPOSE_FILE")
    if not file_options and by_environment is not None:
        file_options = list(map(Spanned.from_elsewhere, by_environment.text.split(":")))
    if not all(map(is_literal, file_options)):
        return None
    places_of_files = [folders.places(option) for option in file_options] or [
        folders.beside(option) for option in COMPOSE_FILES
    ]
    environments = [value for name, value in options if name == "--env-file"]
    return FileBuild(
        path,
        line,
        tuple(dict.fromkeys(place for places in places_of_files for place in places)),
        texts_of(variables),
        targets=_targets(services),
        environment_files=tuple(
            place if is_literal(value) else UNKNOWN for value in environments for place in folders.places(value)
        )
        if environments
        else None,
        pushes=verb == "push" or any(name == "--push" for name, _ in options),
    )


_BAKE_LOOKS_FOR = (*COMPOSE_FILES[:4], *BAKE_FILES)


def texts_of(variables: Mapping[str, Spanned], more: Iterable[tuple[str, str]] = ()) -> tuple[tuple[str, str], ...]:
    """The texts of variables in the order of their names; `more` are set over them."""
    texts = {name: value.text for name, value in variables.items()}
    return tuple(sorted((texts | dict(more)).items()))


def tags_in(settings: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Targets, or patterns of them, with the name that `TARGET.tags=NAME` gives them."""
    for setting in settings:
        key, equals, value = setting.partition("=")
        pattern, _, attribute = key.strip().rpartition(".")
        if equals and attribute == "tags" and value.strip():
            yield pattern, value.strip()


def given_in(settings: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Reads settings `NAME=value` into pairs."""
    for setting in settings:
        name, equals, value = setting.partition("=")
        if equals and name.strip():
            yield name.strip(), value.strip()


def _targets(words: list[Spanned]) -> tuple[str, ...] | None:
    names = tuple(word.text for word in words if not word.text.startswith("-"))
    return None if not names or any(UNKNOWN in each for each in names) else names
