"""Globs of repositories' names, and globs compared with each other: whether one takes in another, and whether two
may take in the same name."""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

_WILD = frozenset("*?[")
_PARTS = 2
"""Of a repository's name at GitHub."""


def has_wildcard(text: str) -> bool:
    """Whether a glob, or a part of one, stands for more than one text."""
    return not _WILD.isdisjoint(text)


def leaves_owner_open(glob: str) -> bool:
    """Whether a glob over `owner/name` names no owner, so that only who can list all that it sees can serve it."""
    owner = glob.partition("/")[0]
    return not owner or has_wildcard(owner)


def names_repository(globs: Iterable[str], repository: str) -> bool:
    """Whether one of the globs is about `owner/name`, whose case counts nothing to a forge.

    Of `organisation/project/name` each part is compared by itself, unless the glob takes in all names.
    """
    return any(_names(glob.lower(), repository.lower()) for glob in globs)


def _names(glob: str, repository: str) -> bool:
    parts, globs = repository.split("/"), glob.split("/")
    if len(parts) <= _PARTS or glob == "*":
        return fnmatchcase(repository, glob)
    return len(parts) == len(globs) and all(map(fnmatchcase, parts, globs))


def covers(wide: str, narrow: str) -> bool:
    """Whether `wide` surely matches every name that `narrow` matches; False also where that cannot be told.

    With no other wildcard than `*` in it, a glob takes in what stands for any text as it takes in text.
    """
    if wide in ("*", narrow):
        return True
    if not has_wildcard(narrow):
        return fnmatchcase(narrow, wide)
    return "?" not in wide and "[" not in wide and "[" not in narrow and fnmatchcase(narrow, wide)


def any_covers(wide: Sequence[str], narrow: Sequence[str]) -> bool:
    """Compares lists of globs, of which one has to match, as `covers` does; an empty list matches everything."""
    if not wide:
        return True
    if not narrow:
        return "*" in wide
    return all(any(covers(outer, inner) for outer in wide) for inner in narrow)


def may_meet(first: str, second: str) -> bool:
    """Whether some name may match both; True also where that cannot be told, as with sets of letters."""
    if "[" in first or "[" in second:
        return True
    reached = {(0, 0)}
    waiting = [(0, 0)]
    while waiting:
        i, j = waiting.pop()
        first_head, second_head = first[i : i + 1], second[j : j + 1]
        if not first_head and not second_head:
            return True
        steps = []
        if first_head == "*":
            steps += [(i + 1, j)] + ([(i, j + 1)] if second_head else [])
        if second_head == "*":
            steps += [(i, j + 1)] + ([(i + 1, j)] if first_head else [])
        if first_head and second_head and (first_head == second_head or "?" in (first_head, second_head)):
            steps.append((i + 1, j + 1))
        for step in steps:
            if step not in reached:
                reached.add(step)
                waiting.append(step)
    return False
