"""Where a fix is on its way from its publisher to what runs, and how long each station took.

A clock that stands further on proves what is not known before it: an image that is free of a vulnerability had a
base, or a build of its own, that brought the fix, whether or not anybody saw that.
"""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from statistics import median_low

from bot.domain.packages.ledger.clocks import AHEAD, AffectedImage, Passage, Station, StationClock, clocks_of
from bot.domain.wording.words import counted, duration

_ORDER = {station: number for number, station in enumerate(Station)}


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One image with its clocks. `waits_at` is the first station that the fix has not passed; None where it has
    passed all, or where it `cannot_tell`."""

    image: AffectedImage
    clocks: Mapping[Station, StationClock]
    waits_at: Station | None
    cannot_tell: bool = False

    @property
    def is_over(self) -> bool:
        return self.waits_at is None and not self.cannot_tell

    @property
    def clock(self) -> StationClock | None:
        """That of the station where it waits, or of the one that cannot be told."""
        if self.waits_at is not None:
            return self.clocks[self.waits_at]
        return next((each for each in self.clocks.values() if each.passage is Passage.UNKNOWN), None)


def entry_of(image: AffectedImage) -> LedgerEntry:
    """Reads the clocks of one image, and finds the first station that the fix has not passed."""
    own_clocks = clocks_of(image)
    clocks = dict(_prove_by_later(image, own_clocks))
    stop = next(
        (station for station, clock in clocks.items() if clock.passage in (Passage.WAITING, Passage.UNKNOWN)), None
    )
    if stop is None:
        return LedgerEntry(image, clocks, None)
    for station, clock in clocks.items():
        if _ORDER[station] > _ORDER[stop] and clock.passage is not Passage.NOT_CONCERNED:
            clocks[station] = AHEAD
    if clocks[stop].passage is Passage.UNKNOWN:
        return LedgerEntry(image, clocks, None, cannot_tell=True)
    return LedgerEntry(image, clocks, stop)


@dataclass(slots=True)
class AlikeEntries:
    """Reads clocks once for all images of which the same is known: thousands of a fleet differ by name alone.
    The clocks of those are one object, but where they name who builds the image."""

    _entries: dict[Hashable, tuple[LedgerEntry, bool]] = field(default_factory=dict)

    def of(self, image: AffectedImage, known: Hashable) -> LedgerEntry:
        """The entry of an image; `known` is the same for those of which all but image and repository is equal."""
        entry, names_builder = self._first(image, known)
        if names_builder and entry.image.repository != image.repository:
            entry, _ = self._first(image, (known, image.repository))
        return LedgerEntry(image, entry.clocks, entry.waits_at, entry.cannot_tell)

    def _first(self, image: AffectedImage, known: Hashable) -> tuple[LedgerEntry, bool]:
        """Gives the entry of the first such image, and whether it would be another if somebody else built that."""
        if known not in self._entries:
            entry = entry_of(image)
            of_nobody = entry_of(replace(image, image="", repository=""))
            self._entries[known] = entry, entry.clocks != of_nobody.clocks
        return self._entries[known]


def _prove_by_later(
    image: AffectedImage, clocks: Mapping[Station, StationClock]
) -> Iterable[tuple[Station, StationClock]]:
    """The same, by what stands on from a passed station; in the order of the stations.

    What is not known before it was passed. What is known to lack the fix before it was not: that came another way,
    or is there no more; but what a manifest names may run again tomorrow. A base had it before its copy, whenever
    it was looked at.
    """
    last = max(
        (number for number, clock in enumerate(clocks.values()) if clock.passage is Passage.PASSED), default=-1
    )
    for number, (station, clock) in enumerate(clocks.items()):
        if number < last and clock.passage is Passage.UNKNOWN:
            yield station, StationClock(Passage.PASSED, says="proved by what came after")
        elif number < last and clock.passage is Passage.WAITING and station is not Station.DEPLOYED:
            yield station, StationClock(Passage.NOT_CONCERNED, says=f"{clock.says}; what comes after is free of it")
        elif clock.at is not None and any(
            clock.at > later_at for later_at in _no_later_than(station, image, clocks)
        ):
            yield station, replace(clock, at=None)
        else:
            yield station, clock


def _no_later_than(
    station: Station, image: AffectedImage, clocks: Mapping[Station, StationClock]
) -> Iterable[datetime]:
    """The times of what cannot have come before that station was passed: anything with a fix before the fix, and a
    copy before its base."""
    after: Iterable[StationClock] = ()
    if station is Station.FIX and image.fix.is_seen:
        after = clocks.values()
    elif station is Station.BASE:
        after = (clocks[Station.MIRROR],)
    return (clock.at for clock in after if clock.at is not None)


@dataclass(frozen=True, slots=True)
class Places:
    """How many images wait at each station for the fix of one CVE, how many cannot be told, how many have it."""

    waiting: Mapping[Station, int]
    cannot_tell: int = 0
    over: int = 0

    @property
    def open(self) -> int:
        return sum(self.waiting.values()) + self.cannot_tell


def places_of(entries: Iterable[tuple[LedgerEntry, int]]) -> Places:
    """Counts entries by where they are; each stands for so many images that are alike."""
    waiting = dict.fromkeys(Station, 0)
    cannot_tell = over = 0
    for entry, number in entries:
        if entry.waits_at is not None:
            waiting[entry.waits_at] += number
        elif entry.cannot_tell:
            cannot_tell += number
        else:
            over += number
    return Places(waiting, cannot_tell, over)


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
