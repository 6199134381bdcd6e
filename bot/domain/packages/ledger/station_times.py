"""How long a fix took from one station of the ledger to the next, where that was seen."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median_low

from bot.domain.packages.ledger.clocks import Passage, Station
from bot.domain.packages.ledger.entries import LedgerEntry
from bot.domain.wording.words import counted, duration


@dataclass(frozen=True, slots=True)
class StationTime:
    """How long a station took elsewhere: from the one passed before it, the median of so many times.

    They are those of other images with the same CVE, or else those `of_rebuilds` for whatever reason.
    """

    times: int
    median: timedelta
    of_rebuilds: bool = False

    @property
    def length(self) -> str:
        """`42.1 h`, or `at once`, as where a place names a tag that is built anew."""
        return duration(self.median) if self.median else "at once"

    @property
    def told(self) -> str:
        """`42.1 h (33)`, `2 h (412 rebuilds)`."""
        times = counted(self.times, "rebuild") if self.of_rebuilds else str(self.times)
        return f"{self.length} ({times})"


def elsewhere(entries: Iterable[LedgerEntry]) -> Mapping[Station, StationTime]:
    """How long each station took those that have passed it, where both times were seen."""
    lengths: dict[Station, list[timedelta]] = {}
    for entry in entries:
        before: datetime | None = None
        for station, clock in entry.clocks.items():
            if clock.passage is Passage.PASSED and clock.at is not None:
                if before is not None:
                    lengths.setdefault(station, []).append(max(clock.at - before, timedelta()))
                before = clock.at
            elif clock.passage is Passage.PASSED:
                before = None
    return {station: StationTime(len(each), median_low(each)) for station, each in lengths.items()}


def with_rebuilds(
    took: Mapping[Station, StationTime], rebuilds: StationTime | None
) -> Mapping[Station, StationTime]:
    """The same, with how long rebuilds take where images are built and none with the CVE tells how long that took.

    What an image held two builds ago is kept no more: it says nothing of the CVEs that were fixed then.
    """
    if rebuilds is None:
        return took
    return {Station.OWN_BASE: rebuilds, Station.IMAGE: rebuilds, **took}
