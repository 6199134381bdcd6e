"""Which entries of a tree are worth reading: in the fleet every file is a request, and a tree may hold 100,000."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from bot.domain.repositories.repository import NO_SOURCES, TreeEntry
from bot.domain.repositories.usage import SourceProblem
from bot.files.formats import code_owners, repository_config
from bot.files.formats.finding import LARGEST_FILE, too_large
from bot.files.formats.practices import tells_of_practices
from bot.files.formats.table import (
    LINE_BREAK_IN_PATH,
    UNREAD_BUILD,
    format_of,
    holds_line_break,
    is_worth_reading,
    kind_of,
)

MOST_FILES = 1_000
"""To one repository: a third of what GitHub grants a token in an hour is three such."""
MOST_BYTES = 16 << 20
"""To one repository, all files together."""

_MISNAMED = (".github/freshness.yml", "freshness.yaml", ".freshness.yaml")
_NOBODY_READS = f"nothing reads this file; name it {repository_config.PATH}"
_OUTPUT = frozenset({"bin", "obj"})
"""Folders that builds of .NET write to, copies of sources among them."""
_UNLIKELY = re.compile(
    r"(?:^|/)(?:[^/]*[._-])?"
    r"(?:tests?|specs?|fixtures?|testdata|snapshots?|samples?|examples?|docs?|benchmarks?|archived?|vendor)/",
    re.IGNORECASE,
)
"""Folders whose files seldom make an image that runs anywhere."""
_LATER = 10
"""What such a folder adds to the rank: its files come behind all others."""
_FOR_THE_AUDIT_ALONE = 1 + 2 * _LATER
"""The rank of files that name no reference, but tell how a repository builds and runs what it makes."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which files of a tree are read, and what a maintainer should know of those that are not."""

    entries: tuple[TreeEntry, ...]
    problems: tuple[SourceProblem, ...]


def chosen(entries: Iterable[TreeEntry], *, is_bounded: bool = True) -> Choice:
    """Chooses the files to read, the likeliest to count first, with what a maintainer should know of the others.

    A file too large to be written by hand, a symbolic link in the place of one of ours, what lies in `bin` and
    `obj`, and submodules are told of, not read. `is_bounded` keeps `MOST_FILES` and `MOST_BYTES`.
    """
    candidates: list[tuple[int, TreeEntry]] = []
    problems: list[SourceProblem] = []
    submodules: list[str] = []
    broken: list[str] = []
    output: list[str] = []
    for entry in entries:
        if entry.kind == "commit":
            submodules.append(entry.path)
            continue
        if holds_line_break(entry.path) and entry.kind == "blob":
            broken.append(entry.path)
            continue
        rank, folders = _rank(entry.path), entry.path.split("/")[:-1]
        if entry.kind != "blob" or rank is None or not NO_SOURCES.isdisjoint(folders):
            continue
        if not _OUTPUT.isdisjoint(folders):
            output += [entry.path] if kind_of(entry.path) != UNREAD_BUILD else []
        elif (reason := _why_unread(entry)) is not None:
            problems.append(SourceProblem(entry.path, 1, reason))
        else:
            candidates.append((rank, entry))
        if entry.path in _MISNAMED:
            problems.append(SourceProblem(entry.path, 1, _NOBODY_READS))
    if submodules:
        advice = "read where it is a repository of the fleet itself, not from here"
        count = f"one of {len(submodules)} submodules" if len(submodules) > 1 else "a submodule"
        problems.append(SourceProblem(submodules[0], 1, f"{count}: {advice}"))
    if broken:
        problems.append(
            SourceProblem(_as_one_line(min(broken)), 1, f"{left_out(len(broken), 'read')}: {LINE_BREAK_IN_PATH}")
        )
    if output:
        advice = "files under bin/ and obj/ are taken for what a build wrote; move sources elsewhere"
        problems.append(SourceProblem(min(output), 1, f"{left_out(len(output), 'read')}: {advice}"))
    candidates.sort(key=lambda each: (each[0], each[1].path.count("/"), each[1].path))
    in_order = [entry for _, entry in candidates]
    chosen_entries = _within_bounds(in_order) if is_bounded else in_order
    if entries_left := in_order[len(chosen_entries) :]:
        problems.append(SourceProblem(entries_left[0].path, 1, _too_many(entries_left)))
    return Choice(tuple(chosen_entries), tuple(problems))


def source_files(
    entries: Iterable[TreeEntry],
    choice: Choice,
    belonging: Callable[[Sequence[str]], Collection[str]],
    *,
    is_bounded: bool = True,
) -> tuple[TreeEntry, ...]:
    """The C# files to read besides what was chosen: those of which `belonging` says that AppHosts are compiled from
    them, once the projects are read."""
    chosen_paths = {entry.path for entry in choice.entries}
    csharp = {
        entry.path: entry
        for entry in entries
        if entry.path.endswith(".cs")
        and entry.path not in chosen_paths
        and entry.is_file
        and entry.size <= LARGEST_FILE
        and not (_OUTPUT | NO_SOURCES).intersection(entry.path.split("/")[:-1])
    }
    sources = [csharp[path] for path in belonging(tuple(csharp))] if csharp else []
    sources.sort(key=lambda entry: (entry.path.count("/"), entry.path))
    return tuple(sources[: max(MOST_FILES - len(chosen_paths), 0)] if is_bounded else sources)


def left_out(count: int, action: str) -> str:
    """Words how many were left, said of the first of them: `this and 2 more were not read`."""
    return f"this one was not {action}" if count == 1 else f"this and {count - 1:,} more were not {action}"


def _as_one_line(path: str) -> str:
    """A path with its line breaks written as escapes, as it is shown."""
    return path.replace("\r", "\\r").replace("\n", "\\n")


def _why_unread(entry: TreeEntry) -> str | None:
    if not entry.is_file:
        return "a symbolic link is not followed; its target is read where it stands, under its own name"
    return too_large(entry.size) if entry.size > LARGEST_FILE else None


def _too_many(entries: Sequence[TreeEntry]) -> str:
    counts = Counter(str(kind_of(entry.path) or "other files") for entry in entries)
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in counts.most_common())
    return f"the repository has too many files; {left_out(len(entries), 'read')} ({kinds}), the least likely ones"


def _rank(path: str) -> int | None:
    """The lower, the sooner; None for files that neither name a reference nor tell of practices."""
    if path == repository_config.PATH or path in code_owners.PATHS:
        return 0
    if path in _MISNAMED:
        return 1
    kind = kind_of(path)
    if kind is None or not is_worth_reading(path):
        return _FOR_THE_AUDIT_ALONE if tells_of_practices(path) else None
    return 1 + format_of(kind).rank + (_LATER if _UNLIKELY.search(path) else 0)


def _within_bounds(entries: list[TreeEntry]) -> list[TreeEntry]:
    total = 0
    for number, entry in enumerate(entries):
        total += entry.size
        if number == MOST_FILES or total > MOST_BYTES:
            return entries[:number]
    return entries
