"""Files as they are read, and what was found in each content, which many repositories share."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from bot.domain.repositories.usage import Findings, Kind

if TYPE_CHECKING:
    from bot.files.formats.produced.file_builds import FileBuilds, Variables
    from bot.files.formats.produced.reading import Named

_REMEMBERED = 20_000
Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class File:
    """`sha` names the content, as git does."""

    path: str
    sha: str
    data: bytes


class Memory:
    """Findings by content and kind, so that the same Dockerfile in 300 repositories is parsed once. What reads a
    file is loaded with the first one.

    May be asked from several threads; a content that one of them is reading is not read by another.
    """

    def __init__(self) -> None:
        self._findings: OrderedDict[tuple[str, Kind], Findings] = OrderedDict()
        self._names: OrderedDict[tuple[str, str], tuple[Named, ...]] = OrderedDict()
        self._builds: OrderedDict[tuple[str, str, Variables], FileBuilds] = OrderedDict()
        self._turn = threading.Lock()

    def findings(self, file: File, kind: Kind) -> Findings:
        """The usages and problems of a file by itself."""
        from bot.files.formats.finding import find_usages

        key = (file.sha, kind)
        findings = self._remember_value(self._findings, key, lambda: find_usages(file.path, file.data, kind))
        return _move_findings(findings, file.path)

    def images_named(self, file: File) -> tuple["Named", ...]:
        """The images that a file's builds push; from which files hangs on where it stands."""
        from bot.files.formats.produced.reading import names_in

        key = (file.sha, file.path)
        return self._remember_value(self._names, key, lambda: names_in(file.path, file.data))

    def file_builds(self, file: File, variables: "Variables") -> "FileBuilds":
        """What a file builds of Bake and Compose files where `variables` are set."""
        from bot.files.formats.produced.file_builds import file_builds

        key = (file.sha, file.path, variables)
        return self._remember_value(self._builds, key, lambda: file_builds(file.path, file.data, variables))

    def _remember_value(self, values: "OrderedDict[Key, Value]", key: Key, read: Callable[[], Value]) -> Value:
        with self._turn:
            value = values.get(key)
            if value is None:
                value = values[key] = read()
                if len(values) > _REMEMBERED:
                    values.popitem(last=False)
            else:
                values.move_to_end(key)
        return value


def _move_findings(findings: Findings, path: str) -> Findings:
    return Findings(
        tuple(usage if usage.path == path else replace(usage, path=path) for usage in findings.usages),
        tuple(problem if problem.path == path else replace(problem, path=path) for problem in findings.problems),
    )
