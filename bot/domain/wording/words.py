"""Numbers and lengths of time as every surface words them."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

_UNITS = (("days", 86400), ("h", 3600), ("min", 60))


def counted(number: int, word: str, plural: str = "") -> str:
    """Words a number of things: `1 repository`, `2,764 dispatches`; `plural` where the rules of English fail."""
    if number == 1:
        return f"1 {word}"
    return f"{number:,} {plural or _plural(word)}"


def _plural(word: str) -> str:
    if word.endswith("y"):
        return f"{word[:-1]}ies"
    return f"{word}{'es' if word.endswith(('ch', 'x')) else 's'}"


def in_words(kind: str) -> str:
    """Words a kind or state as people read it, without hyphens: `not seen`."""
    return kind.replace("-", " ")


def first_few(names: Iterable[str], most: int = 3) -> str:
    """Words a list by its first items and a count of the rest: `api, shop, web and 4 more`."""
    every = list(names)
    more = len(every) - most
    return ", ".join(every[:most]) + (f" and {more} more" if more > 0 else "")


def percent(share: float) -> str:
    """Words a share in whole percents, but never as all or nothing where that is not so."""
    if 0 < share < 0.01:
        return "less than 1%"
    return "over 99%" if 0.99 < share < 1 else f"{share:.0%}"


def duration(length: timedelta) -> str:
    """Words a length of time in its largest unit: `0`, `40 s`, `36 min`, `1.5 h`, `19 days`.

    Two figures are enough to compare. Days begin at two, so that a day and a half is `36 h`.
    """
    seconds = length.total_seconds()
    if seconds == 0:
        return "0"
    for unit, size in _UNITS:
        if seconds >= 2 * size or (unit == "h" and seconds >= size):
            units = seconds / size
            return f"{round(units, 1 if units < 10 else 0):g} {unit}"
    return f"{seconds:.0f} s"


def rounded_up(moment: datetime, to: timedelta = timedelta(minutes=10)) -> datetime:
    """Rounds a probable moment up to the next ten minutes, so that a message does not change every minute."""
    start = datetime(1970, 1, 1, tzinfo=UTC)
    return start - ((start - moment) // to) * to
