"""Which entries of a tree are worth fetching: every file is a request, and a tree may hold 100,000 of them."""

from collections.abc import Iterable
from dataclasses import dataclass

from bot.domain.repository import TreeEntry
from bot.domain.usage import Problem
from bot.formats import repository_config
from bot.formats.finding import LARGEST_FILE, too_large
from bot.formats.table import format_of, is_worth_reading, kind_of

MOST_FILES = 1_000
"""To one repository: a third of what GitHub grants a token in an hour is three such."""
MOST_BYTES = 16 << 20
"""To one repository, all files together."""

_MISNAMED = (".github/freshness.yml", "freshness.yaml", ".freshness.yaml")


@dataclass(frozen=True, slots=True)
class Choice:
    entries: tuple[TreeEntry, ...]
    problems: tuple[Problem, ...]


def chosen(entries: Iterable[TreeEntry]) -> Choice:
    """The files to fetch, and what a maintainer should know of those that are not.

    A file too large to be written by hand, a symbolic link in the place of one of ours and a submodule are
    reported, not fetched.
    """
    candidates: list[tuple[int, TreeEntry]] = []
    problems: list[Problem] = []
    submodules: list[str] = []
    for entry in entries:
        if entry.kind == "commit":
            submodules.append(entry.path)
            continue
        rank = _rank(entry.path)
        if entry.kind != "blob" or rank is None:
            continue
        if not entry.is_file:
            advice = "a symbolic link is not followed; its target is read where it stands, under its own name"
            problems.append(Problem(entry.path, 1, advice))
        elif entry.size > LARGEST_FILE:
            problems.append(Problem(entry.path, 1, too_large(entry.size)))
        else:
            candidates.append((rank, entry))
        if entry.path in _MISNAMED:
            problems.append(Problem(entry.path, 1, f"nothing reads this file; name it {repository_config.PATH}"))
    if submodules:
        advice = "read where it is a repository of the fleet itself, not from here"
        count = f"one of {len(submodules)} submodules" if len(submodules) > 1 else "a submodule"
        problems.append(Problem(submodules[0], 1, f"{count}: {advice}"))
    candidates.sort(key=lambda each: (each[0], each[1].path.count("/"), each[1].path))
    taken = _within_bounds([entry for _, entry in candidates])
    if left := candidates[len(taken) :]:
        why = f"the repository has too many files; {left_out(len(left), 'read')}"
        problems.append(Problem(left[0][1].path, 1, why))
    return Choice(tuple(taken), tuple(problems))


def left_out(count: int, what: str) -> str:
    """How many were left, said of the first of them: `this and 2 more were not read`."""
    return f"this one was not {what}" if count == 1 else f"this and {count - 1:,} more were not {what}"


def _rank(path: str) -> int | None:
    """The lower, the sooner; None for files that name no reference."""
    if path == repository_config.PATH:
        return 0
    if path in _MISNAMED:
        return 1
    kind = kind_of(path)
    return 1 + format_of(kind).rank if kind is not None and is_worth_reading(path) else None


def _within_bounds(entries: list[TreeEntry]) -> list[TreeEntry]:
    total = 0
    for number, entry in enumerate(entries):
        total += entry.size
        if number == MOST_FILES or total > MOST_BYTES:
            return entries[:number]
    return entries
