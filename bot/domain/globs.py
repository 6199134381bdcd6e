"""Globs compared with each other, to find rules that an earlier one leaves nothing to."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

_WILD = frozenset("*?[")


def covers(wide: str, narrow: str) -> bool:
    """Whether `wide` surely matches every name that `narrow` matches; False also where that cannot be told.

    With no other wildcard than `*` in it, a glob takes in what stands for any text as it takes in text.
    """
    if wide in ("*", narrow):
        return True
    if not _WILD & set(narrow):
        return fnmatchcase(narrow, wide)
    return "?" not in wide and "[" not in wide and "[" not in narrow and fnmatchcase(narrow, wide)


def any_covers(wide: Sequence[str], narrow: Sequence[str]) -> bool:
    """The same for lists of globs, of which one has to match; an empty list matches everything."""
    if not wide:
        return True
    if not narrow:
        return "*" in wide
    return all(any(covers(one, other) for one in wide) for other in narrow)
