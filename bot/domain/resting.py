"""How long work rests after it failed."""

from datetime import timedelta

_FIRST = timedelta(seconds=30)
_LONGEST = timedelta(hours=1)


def rest_after(attempts: int) -> timedelta:
    """Doubling from 30 seconds, at most an hour; `attempts` counts the failed ones."""
    doubled: timedelta = _FIRST * 2 ** min(max(attempts - 1, 0), 16)
    return min(doubled, _LONGEST)


def rested_by(attempts: int) -> timedelta:
    """How long work has rested in all by its `attempts`-th failure, at the least."""
    return sum((rest_after(each) for each in range(1, attempts)), timedelta())
