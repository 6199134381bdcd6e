"""What is known of one image and one CVE, and how the fix stands to each of its stations."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache

from bot.domain.wording.words import first_few


@dataclass(frozen=True, slots=True)
class PublishedFix:
    """What its publisher says: the versions that are free of the vulnerability, none where there is no fix yet.

    `at` is when that was published, or only `is_seen` then, however long it was out. `lacks_it` are the packages
    that have none, where others have one.
    """

    publisher: str
    versions: tuple[str, ...] = ()
    at: datetime | None = None
    is_seen: bool = False
    lacks_it: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Held:
    """Whether something holds an affected package now, None where that is not known, and since when not any more.

    `reason` says what keeps it from being known.
    """

    is_affected: bool | None
    free_since: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class BelowImage:
    """A base that an image stands on, and who can rebuild it; `brings` is False where it has no such package.

    What `is_withdrawn` is rebuilt no more: whoever builds on it has to move."""

    name: str
    who: str
    content: Held
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
class RunningBuilds:
    """The places that run one build of the image: it has the fix (True), lacks it (False), or cannot be told.

    The last of them began to run it at `since`, or before where it `is_older`."""

    places: tuple[str, ...]
    has_fix: bool | None
    since: datetime
    is_older: bool = False


@dataclass(frozen=True, slots=True)
class RunsOfImage:
    """What runs of an image, by all sources; `hole` says what is not known of what runs."""

    builds: tuple[RunningBuilds, ...] = ()
    hole: str = ""


@dataclass(frozen=True, slots=True)
class AffectedImage:
    """All that is known of one image and one CVE. `base` is the one that somebody else publishes, None where it is
    not known, and `mirror` the copy of it that is built upon; `own_bases` are those of the fleet in between, the
    lowest first. `runs` is None where no source tells what runs."""

    image: str
    repository: str
    packages: tuple[str, ...]
    fix: PublishedFix
    base: BelowImage | None
    content: Held
    mirror: BelowImage | None = None
    own_bases: tuple[BelowImage, ...] = ()
    deployed: tuple[DeployedImage, ...] = ()
    runs: RunsOfImage | None = None


class Station(StrEnum):
    """What a fix passes, in its order."""

    FIX = "fix"
    BASE = "base"
    MIRROR = "mirror"
    OWN_BASE = "own base"
    IMAGE = "image"
    DEPLOYED = "deployed"
    RUNNING = "running"


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


AHEAD = StationClock(Passage.AHEAD)


def clocks_of(image: AffectedImage) -> dict[Station, StationClock]:
    """The clock of each station for one image, in the order of the stations."""
    return {
        Station.FIX: _fix(image.fix),
        Station.BASE: _base(image.base, _lowest(image)),
        Station.MIRROR: _mirror(image.mirror),
        Station.OWN_BASE: _own_base(image.own_bases),
        Station.IMAGE: _image(image),
        Station.DEPLOYED: _deployed(image),
        Station.RUNNING: _running(image),
    }


@lru_cache(maxsize=1024)
def _fix(fix: PublishedFix) -> StationClock:
    if fix.versions:
        return StationClock(Passage.PASSED, fix.at, f"{fix.publisher} fixed it in {', '.join(fix.versions)}")
    of = f" of {first_few(fix.lacks_it)}" if fix.lacks_it else ""
    return StationClock(Passage.WAITING, says=f"{fix.publisher} has no fix{of}", who=fix.publisher)


def _lowest(image: AffectedImage) -> str:
    """Names who builds on the base: the lowest own base's repository, else the image's own."""
    return image.own_bases[0].who if image.own_bases else image.repository


@lru_cache(maxsize=1024)
def _base(base: BelowImage | None, builds_on_it: str) -> StationClock:
    if base is None:
        return StationClock(Passage.UNKNOWN, says="what the image stands on is not known")
    if base.is_withdrawn and base.content.is_affected:
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
    if below.content.is_affected is None:
        return StationClock(Passage.UNKNOWN, says=f"what {below.name} holds is not known: {below.content.reason}")
    if below.content.is_affected:
        return StationClock(Passage.WAITING, says=waits, who=below.who)
    return StationClock(Passage.PASSED, below.content.free_since, passed)


@lru_cache(maxsize=1024)
def _own_base(own_bases: Sequence[BelowImage]) -> StationClock:
    concerned = [each for each in own_bases if each.brings]
    if not concerned:
        return StationClock(Passage.NOT_CONCERNED, says="no own base")
    for each in concerned:
        if each.content.is_affected:
            return StationClock(Passage.WAITING, says=f"{each.who} has not rebuilt {each.name}", who=each.who)
    unknown = next((each for each in concerned if each.content.is_affected is None), None)
    if unknown is not None:
        return StationClock(
            Passage.UNKNOWN,
            says=f"what {unknown.name} holds is not known: {unknown.content.reason}",
            who=unknown.who,
        )
    times = [each.content.free_since for each in concerned if each.content.free_since is not None]
    return StationClock(Passage.PASSED, max(times, default=None), f"{concerned[-1].name} has it")


def _image(image: AffectedImage) -> StationClock:
    content = image.content
    if content.is_affected is None:
        return StationClock(Passage.UNKNOWN, says=f"what the image holds is not known: {content.reason}")
    if content.is_affected:
        return StationClock(
            Passage.WAITING, says=f"{image.repository} has not rebuilt its image", who=image.repository
        )
    return StationClock(Passage.PASSED, content.free_since, "the image has it")


def _deployed(image: AffectedImage) -> StationClock:
    if not image.deployed:
        return StationClock(Passage.NOT_CONCERNED, says="no manifest names it")
    if image.content.is_affected is not False:
        return AHEAD
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
    built_at = image.content.free_since
    times: list[tuple[datetime, bool]] = []
    for each in image.deployed:
        if each.since is None:
            return None
        if built_at is not None and each.since <= built_at:
            times.append((built_at, True))
        else:
            times.append((each.since, not each.is_older))
    last_at, was_seen = max(times)
    return last_at if was_seen else None


def _running(image: AffectedImage) -> StationClock:
    runs = image.runs
    if runs is None:
        return StationClock(Passage.NOT_CONCERNED, says="no source tells what runs")
    if not runs.builds and not runs.hole:
        return StationClock(Passage.NOT_CONCERNED, says="it runs nowhere")
    if image.content.is_affected is not False:
        return AHEAD
    if old := [place for each in runs.builds if each.has_fix is False for place in each.places]:
        says = f"older builds run at {first_few(old)}"
        return StationClock(Passage.WAITING, says=says, who=image.repository)
    if untold := [place for each in runs.builds if each.has_fix is None for place in each.places]:
        return StationClock(Passage.UNKNOWN, says=f"it cannot be told what runs at {first_few(untold)}")
    if runs.hole:
        return StationClock(Passage.UNKNOWN, says=f"not all is known of what runs: {runs.hole}")
    last = max(runs.builds, key=lambda each: each.since)
    return StationClock(Passage.PASSED, None if last.is_older else last.since, "what runs has it")


def _repositories(images: Sequence[DeployedImage]) -> str:
    """Names the repositories whose manifests would have to name something else, each once."""
    return ", ".join(sorted({each.repository for each in images}))


def _places(images: Sequence[DeployedImage]) -> str:
    return first_few(each.place for each in images)
