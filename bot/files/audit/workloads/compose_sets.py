"""Which Compose files one command reads together, in which order: `-f`, `--file` and `COMPOSE_FILE`.

Source: Compose's manual on several files: a later one is put over those before it.
"""

import posixpath
import re
from collections.abc import Collection, Iterator

from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.shell import joined_lines
from bot.files.formats.builds import below
from bot.files.formats.compose.finder import KIND as COMPOSE
from bot.files.formats.compose.names import FOUND, FOUND_BESIDE
from bot.files.formats.source.nodes import Mapping

FileSet = tuple[str, ...]
"""Files in the order in which they are read; of the first one's folder."""
BY_ITSELF = "which Compose reads too unless files are named"
_SCRIPTS = (".yml", ".yaml", ".sh", ".ps1", ".cmd", ".bat", ".env", "Makefile", ".mk", "justfile", "package.json")
_READ_BY_PEOPLE = ".md"
_COMMAND = re.compile(
    r"\b(?:docker|podman|nerdctl)[ -]compose\b"
    r"(?P<options>(?:[ \t]+(?!(?:up|run|create|start|pull|build)\b)[^\s;&|]+)*)"
    r"[ \t]+(?:up|run|create|start)\b"
)
_STACK = re.compile(r"\bdocker[ \t]+stack[ \t]+(?:deploy|up)\b(?P<options>[^\n;&|]*)")
_FILE = re.compile(r"(?:^|\s)(?:-f|--file|-c|--compose-file)[\s=]*[\"']?(?P<path>[^\s\"'-][^\s\"']*)")
_VARIABLE = re.compile(r"\bCOMPOSE_FILE[\"']?[ \t]*(?:=|:)[ \t]*[\"']?(?P<paths>[\w./:;\\-]+)")


def file_sets(repository: RepositoryTexts, path: str) -> list[FileSet]:
    """The sets that begin with a file, as scripts, workflows and texts for people name them; of developers none.

    The file alone is one where it is named alone.
    """
    return [each for each in repository.kept(_all_sets) if each[0] == path]


def put_over_files(repository: RepositoryTexts, path: str) -> Collection[str]:
    """The files that this one is read over, wherever it is named; none where it is ever the first."""
    sets = [each for each in repository.kept(_all_sets) if path in each]
    is_always_later = bool(sets) and all(each[0] != path for each in sets)
    return {first for each in sets for first in each[: each.index(path)]} if is_always_later else ()


def _all_sets(repository: RepositoryTexts) -> list[FileSet]:
    found: dict[FileSet, None] = {}
    for path in repository.paths:
        if not path.endswith((*_SCRIPTS, _READ_BY_PEOPLE)):
            continue
        text = repository.text(path)
        if "compose" not in text.lower() and "stack" not in text:
            continue
        for names in _named(joined_lines(text), is_for_people=path.endswith(_READ_BY_PEOPLE)):
            files = _resolved(repository, posixpath.dirname(path), names)
            if files and not any(map(repository.scope.is_for_developers, files)):
                found[files] = None
    return list(found)


def _named(text: str, *, is_for_people: bool) -> Iterator[list[str]]:
    """What each command names; nothing, where it takes the file that Compose finds by itself."""
    for pattern in (_COMMAND, _STACK):
        for match in pattern.finditer(text):
            names = [each["path"] for each in _FILE.finditer(match["options"])]
            if names or not is_for_people:
                yield names
    for match in _VARIABLE.finditer(text):
        yield [each for each in re.split("[:;]", match["paths"]) if each]


def _resolved(repository: RepositoryTexts, folder: str, names: list[str]) -> FileSet:
    """The files that a command names, from where it most likely runs; none where one of them is not known."""
    if not names:
        beside = repository.first(folder, *FOUND) or repository.first("", *FOUND)
        return (beside,) if beside is not None else ()
    for start in dict.fromkeys((folder, "")):
        paths = [below(start, each) for each in names]
        if all(each is not None and each in repository and repository.kind(each) == COMPOSE for each in paths):
            return tuple(dict.fromkeys(each for each in paths if each is not None))
    return ()


def overrides(repository: RepositoryTexts, path: str) -> Iterator[tuple[str, str]]:
    """The override files beside a Compose file, each with how it comes to be read with it.

    Compose looks for one by itself beside the file that it finds by itself, and for none beside others.
    """
    folder, name = posixpath.split(path)
    if repository.first(folder, *FOUND) == path:
        beside = repository.first(folder, *FOUND_BESIDE)
        yield from [(beside, BY_ITSELF)] if beside is not None else []
        return
    head, _, _ = name.rpartition(".")
    override = repository.first(folder, f"{head}.override.yml", f"{head}.override.yaml")
    yield from [(override, "which may be named beside it")] if override is not None else []


def put_over(repository: RepositoryTexts, name: str, files: FileSet) -> tuple[Mapping, ...]:
    """A service in the files that are read over the first one of a set, the last one first."""
    roots = (repository.root(path) for path in reversed(files[1:]))
    nodes = (root.mapping("services").get(name) for root in roots if root is not None)
    return tuple(node for node in nodes if isinstance(node, Mapping))


def names_of(files: FileSet) -> str:
    return " and ".join(each.rpartition("/")[2] for each in files[1:])


def is_put_over(repository: RepositoryTexts, path: str, name: str) -> bool:
    roots = (repository.root(each) for each in put_over_files(repository, path))
    return any(name in root.mapping("services").own for root in roots if root is not None)
