"""What the history of bases does not tell: how long builds and merges take, and how much may be written."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import median

BUILD = timedelta(minutes=10)
MERGE = timedelta(hours=4)
LEAST_HISTORY = 5
"""Fewer of one's own tell nothing."""


@dataclass(frozen=True, slots=True)
class Length:
    """How long something takes, and in words where that comes from."""

    value: timedelta
    source: str = "assumed"

    @classmethod
    def of(cls, given: timedelta | None, own: Sequence[timedelta], assumed: timedelta) -> "Length":
        """What was given, else the median of one's own, else what is assumed."""
        if given is not None:
            return cls(given, "as given")
        if len(own) >= LEAST_HISTORY:
            middle = timedelta(seconds=median(one.total_seconds() for one in own))
            return cls(middle, f"the median of {len(own):,} of your own")
        return cls(assumed)


@dataclass(frozen=True, slots=True)
class Assumptions:
    """`build` is how long a run takes, `merge` how long a pull request waits for a person."""

    build: Length = Length(BUILD)
    merge: Length = Length(MERGE)
    content_per_minute: int = 60
    content_per_hour: int = 480
