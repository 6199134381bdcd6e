"""Bases that are copies in a mirror: of what, how that is known, and how far behind they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from statistics import median_high
from typing import Any

from bot.domain.bases.mirrors import Behind, Likeness
from bot.domain.wording.words import counted, duration


@dataclass(frozen=True, slots=True)
class MirrorStatus:
    """`likeness` is how it is known to show what upstream has shown, None where that was not seen.

    `behind` is there while it does not show what upstream does now, `older` where it showed a digest of before at
    the last look.
    """

    upstream: str
    likeness: Likeness | None
    behind: Behind | None
    older: str | None = None

    @property
    def is_well(self) -> bool:
        """Whether it shows what upstream does, at every look."""
        return self.behind is None and self.older is None and self.likeness is not None

    def told(self, now: datetime) -> str:
        """Says all of it in one sentence."""
        if self.behind is not None:
            sentence = self.behind.told(now)
        elif self.likeness is not None:
            sentence = f"shows what {self.upstream} does, {self.likeness.told}"
        else:
            sentence = f"is a copy of {self.upstream}, which was not compared yet"
        return sentence if self.older is None else f"{sentence}; its caches differ, an older digest was shown last"


@dataclass(frozen=True, slots=True)
class Took:
    """How long a mirror took, over what was measured: `most` is within what time 95 of 100 came."""

    measured: int
    median: timedelta
    worst: timedelta
    most: timedelta

    def __str__(self) -> str:
        times = counted(self.measured, "time")
        return f"median {duration(self.median)}, longest {duration(self.worst)}, measured {times}"


def took_of(lags: Sequence[timedelta]) -> Took | None:
    """Sums up how long a mirror took; None where nothing was measured."""
    if not lags:
        return None
    most = sorted(lags)[ceil(0.95 * len(lags)) - 1]
    return Took(len(lags), median_high(lags), max(lags), most)


def as_json(mirror: MirrorStatus | None) -> dict[str, Any] | None:
    """Gives it as plain JSON values; None for a base that is no copy."""
    if mirror is None:
        return None
    late = mirror.behind
    return {
        "of": mirror.upstream,
        "likeness": mirror.likeness,
        "behind_since": late.since if late else None,
        "waits_for": late.digest if late else None,
        "shows_older": mirror.older,
    }
