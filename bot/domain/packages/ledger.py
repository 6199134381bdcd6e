"""Where a fix is on its way: six clocks from its publisher to what manifests name, and the one it waits at.

A clock that stands further on proves what is not known before it: an image that is free of a vulnerability had a
base, or a build of its own, that brought the fix, whether or not anybody saw that.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import lru_cache

from bot.domain.wording.words import first_few


class Station(StrEnum):
    """What a fix passes, in its order."""

    FIX = "fix"
    BASE = "base"
    MIRROR = "mirror"
    OWN_BASE = "own base"
    IMAGE = "image"
    DEPLOYED = "deployed"


_ORDER = {station: number for number, station in enumerate(Station)}


class Passage(StrEnum):
    """How a fix stands to one of its stations."""

    PASSED = "passed"
    WAITING = "waiting"
    UNKNOWN = "unknown"
    NOT_CONCERNED = "not concerned"
    """The fix does not come by there."""
    AHEAD = "ahead"
    """It waits at a station before."""


@dataclass(frozen=True, slots=True)
class StationClock:
    """When the fix passed a station, None where that was not seen; else why it has not, and who can move it."""

    passage: Passage
    at: datetime | None = None
    says: str = ""
    who: str = ""


_AHEAD = StationClock(Passage.AHEAD)


@dataclass(frozen=True, slots=True)
class PublishedFix:
    """What its publisher says: the versions that are free of the vulnerability, none where there is no fix yet.

    `at` is when that was published, or only `is_seen` then, however long it was out.
    """

    publisher: str
    versions: tuple[str, ...] = ()
    at: datetime | None = None
    is_seen: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """Whether something holds an affected package now, None where that is not known, and since when not any more.

    `why` says what keeps it from being known.
    """

    is_affected: bool | None
    free_since: datetime | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class BelowImage:
    """A base that an image stands on, and who can rebuild it; `brings` is False where it has no such package.

    What `is_withdrawn` is rebuilt no more: whoever builds on it has to move."""

    name: str
    who: str
    held: Held
    brings: bool = True
    is_withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class DeployedImage:
    """A place where a manifest names the image: a build that has the fix (True), another digest (False), or
    something of which that cannot be told (None).

    `since` is when it was first seen to name that; it may have had the fix for longer, where it `is_older`."""

    place: str
    repository: str
    has_fix: bool | None
    since: datetime | None = None
    is_older: bool = False


@dataclass(frozen=True, slots=True)
class AffectedImage:
    """All that is known of one image and one CVE. `base` is the one that somebody else publishes, None where it is
    not known, and `mirror` the copy of it that is built upon; `own_bases` are those of the fleet in between, the
    lowest first."""

    image: str
    repository: str
    packages: tuple[str, ...]
    fix: PublishedFix
    base: BelowImage | None
    held: Held
    mirror: BelowImage | None = None
    own_bases: tuple[BelowImage, ...] = ()
    deployed: tuple[DeployedImage, ...] = ()


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
    """The clocks of one image."""
    told = {
        Station.FIX: _fix(image.fix),
        Station.BASE: _base(image.base, _lowest(image)),
        Station.MIRROR: _mirror(image.mirror),
        Station.OWN_BASE: _own_base(image.own_bases),
        Station.IMAGE: _image(image),
        Station.DEPLOYED: _deployed(image),
    }
    clocks = dict(_proved(image, told))
    stop = next(
        (station for station, clock in clocks.items() if clock.passage in (Passage.WAITING, Passage.UNKNOWN)), None
    )
    if stop is None:
        return LedgerEntry(image, clocks, None)
    for station, clock in clocks.items():
        if _ORDER[station] > _ORDER[stop] and clock.passage is not Passage.NOT_CONCERNED:
            clocks[station] = _AHEAD
    if clocks[stop].passage is Passage.UNKNOWN:
        return LedgerEntry(image, clocks, None, cannot_tell=True)
    return LedgerEntry(image, clocks, stop)


def _proved(image: AffectedImage, told: Mapping[Station, StationClock]) -> Iterable[tuple[Station, StationClock]]:
    """The same, by what stands on from a passed station; in the order of the stations.

    What is not known before it was passed. What is known to lack the fix before it was not: that came another way,
    or is there no more. A base had it before its copy, whenever it was looked at.
    """
    last = max(
        (number for number, clock in enumerate(told.values()) if clock.passage is Passage.PASSED), default=-1
    )
    for number, (station, clock) in enumerate(told.items()):
        if number < last and clock.passage is Passage.UNKNOWN:
            yield station, StationClock(Passage.PASSED, says="proved by what came after")
        elif number < last and clock.passage is Passage.WAITING:
            yield station, StationClock(Passage.NOT_CONCERNED, says=f"{clock.says}; what comes after is free of it")
        elif clock.at is not None and any(clock.at > at for at in _no_later_than(station, image, told)):
            yield station, replace(clock, at=None)
        else:
            yield station, clock


def _no_later_than(
    station: Station, image: AffectedImage, told: Mapping[Station, StationClock]
) -> Iterable[datetime]:
    """The times of what cannot have come before that station was passed: anything with a fix before the fix, and a
    copy before its base."""
    after: Iterable[StationClock] = ()
    if station is Station.FIX and image.fix.is_seen:
        after = told.values()
    elif station is Station.BASE:
        after = (told[Station.MIRROR],)
    return (clock.at for clock in after if clock.at is not None)


@lru_cache(maxsize=1024)
def _fix(fix: PublishedFix) -> StationClock:
    if fix.versions:
        return StationClock(Passage.PASSED, fix.at, f"{fix.publisher} fixed it in {', '.join(fix.versions)}")
    return StationClock(Passage.WAITING, says=f"{fix.publisher} has no fix", who=fix.publisher)


def _lowest(image: AffectedImage) -> str:
    """Who builds on the base."""
    return image.own_bases[0].who if image.own_bases else image.repository


@lru_cache(maxsize=1024)
def _base(base: BelowImage | None, builds_on_it: str) -> StationClock:
    if base is None:
        return StationClock(Passage.UNKNOWN, says="what the image stands on is not known")
    if base.is_withdrawn and base.held.is_affected:
        says = f"{base.who} has withdrawn {base.name}: {builds_on_it} has to build on another"
        return StationClock(Passage.WAITING, says=says, who=builds_on_it)
    return _below(base, waits=f"{base.who} has not rebuilt {base.name}", passed=f"{base.name} has it")


@lru_cache(maxsize=1024)
def _mirror(mirror: BelowImage | None) -> StationClock:
    if mirror is None:
        return StationClock(Passage.NOT_CONCERNED, says="no mirror")
    return _below(mirror, waits=f"{mirror.name} does not show it yet", passed=f"{mirror.name} shows it")


def _below(below: BelowImage, *, waits: str, passed: str) -> StationClock:
    if not below.brings:
        return StationClock(Passage.NOT_CONCERNED, says=f"not from {below.name}")
    if below.held.is_affected is None:
        return StationClock(Passage.UNKNOWN, says=f"what {below.name} holds is not known: {below.held.why}")
    if below.held.is_affected:
        return StationClock(Passage.WAITING, says=waits, who=below.who)
    return StationClock(Passage.PASSED, below.held.free_since, passed)


@lru_cache(maxsize=1024)
def _own_base(own_bases: Sequence[BelowImage]) -> StationClock:
    concerned = [each for each in own_bases if each.brings]
    if not concerned:
        return StationClock(Passage.NOT_CONCERNED, says="no own base")
    for each in concerned:
        if each.held.is_affected:
            return StationClock(Passage.WAITING, says=f"{each.who} has not rebuilt {each.name}", who=each.who)
    unknown = next((each for each in concerned if each.held.is_affected is None), None)
    if unknown is not None:
        return StationClock(
            Passage.UNKNOWN, says=f"what {unknown.name} holds is not known: {unknown.held.why}", who=unknown.who
        )
    times = [each.held.free_since for each in concerned if each.held.free_since is not None]
    return StationClock(Passage.PASSED, max(times, default=None), f"{concerned[-1].name} has it")


def _image(image: AffectedImage) -> StationClock:
    held = image.held
    if held.is_affected is None:
        return StationClock(Passage.UNKNOWN, says=f"what the image holds is not known: {held.why}")
    if held.is_affected:
        return StationClock(
            Passage.WAITING, says=f"{image.repository} has not rebuilt its image", who=image.repository
        )
    return StationClock(Passage.PASSED, held.free_since, "the image has it")


def _deployed(image: AffectedImage) -> StationClock:
    if not image.deployed:
        return StationClock(Passage.NOT_CONCERNED, says="no manifest names it")
    if image.held.is_affected is not False:
        return _AHEAD
    old = [each for each in image.deployed if each.has_fix is False]
    if old:
        return StationClock(Passage.WAITING, says=f"not deployed: {_places(old)}", who=_repositories(old))
    untold = [each for each in image.deployed if each.has_fix is None]
    if untold:
        says = f"it cannot be told what is named at {_places(untold)}"
        return StationClock(Passage.UNKNOWN, says=says, who=_repositories(untold))
    return StationClock(Passage.PASSED, _deployed_at(image), "what is deployed has it")


def _deployed_at(image: AffectedImage) -> datetime | None:
    """When the last place came to have the fix, none of them earlier than the image; None where that was not
    seen."""
    built_at = image.held.free_since
    times: list[tuple[datetime, bool]] = []
    for each in image.deployed:
        if each.since is None:
            return None
        if built_at is not None and each.since <= built_at:
            times.append((built_at, True))
        else:
            times.append((each.since, not each.is_older))
    at, was_seen = max(times)
    return at if was_seen else None


def _repositories(some: Sequence[DeployedImage]) -> str:
    """Those whose manifests would have to name something else."""
    return ", ".join(sorted({each.repository for each in some}))


def _places(some: Sequence[DeployedImage]) -> str:
    return first_few(each.place for each in some)


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
