"""Which running places have a CVE, since when and until when, by what their builds have of it.

What could not be read is exposed to nothing and free of nothing: it counts apart. A time that no whole list covers
is not known, whatever ran before and after.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from operator import itemgetter

from bot.domain.running.runs import STALE_AFTER, Coverage
from bot.domain.running.snapshot import AZURE_KINDS, RunningPlace

NOBODY = "built by nobody we know"
RunTime = tuple[datetime, bool, datetime, datetime | None]
"""When a run began, whether it may be older than that, when it was seen last, and when it had ended."""


@dataclass(frozen=True, slots=True)
class BuildInside:
    """What a build has of one CVE: `is_affected` is None where that is not known, and `why` says why it is not, or
    why it is free of it. `packages` are those that have it, or that were looked at."""

    digest: str
    is_affected: bool | None = None
    packages: tuple[str, ...] = ()
    why: str = NOBODY
    repository: str = ""
    """Who builds it, as far as it is known."""


@dataclass(frozen=True, slots=True)
class PlaceRun:
    """A run of a build in a place, as `RunInPlace`."""

    build: BuildInside
    image: str
    since: datetime
    is_older: bool
    seen_at: datetime
    until: datetime | None = None
    pods: int = 1

    @property
    def time(self) -> RunTime:
        return self.since, self.is_older, self.seen_at, self.until


@dataclass(frozen=True, slots=True)
class CoveredSource:
    """A source with the times through which it was read as a whole, the latest last; `is_listed` while settings
    name it, `not_read` says what its last list lacked, and `error` why there is none. `by_tag` places of Azure run
    what a tag showed when they began, of which no digest is told."""

    name: str
    environment: str = ""
    covered: tuple[Coverage, ...] = ()
    stale_after: timedelta = STALE_AFTER
    is_listed: bool = True
    not_read: tuple[str, ...] = ()
    error: str = ""
    by_tag: int = 0

    def is_known(self, moment: datetime) -> bool:
        """Whether it is known what ran then; what was read last holds until it is stale."""
        if any(each.since <= moment <= each.until for each in self.covered):
            return True
        return bool(self.covered) and self.covered[-1].until < moment <= self.covered[-1].until + self.stale_after

    def told_until(self, until: datetime) -> datetime:
        """Until when it is asked what ran there: of one that settings name no more until it was read last."""
        if self.is_listed or not self.covered:
            return until
        return min(until, self.covered[-1].until)

    def holes(self, since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The times between in which it is not known what ran."""
        begin, until = since, self.told_until(until)
        for each in self.covered:
            if begin < each.since and begin < until:
                yield begin, min(each.since, until)
            begin = max(begin, each.until)
        last = self.covered[-1].until if self.covered else since
        if begin < until and (not self.covered or until - last > self.stale_after):
            yield begin, until


@dataclass(frozen=True, slots=True)
class PlaceHistory:
    """A place with all of its runs that matter; `pulls_since` where a container there waits for its image.

    Of a place where something runs at the time in question, it is enough to tell by `had` when builds ran before
    that had it.
    """

    source: str
    place: RunningPlace
    runs: tuple[PlaceRun, ...]
    pulls_since: datetime | None = None
    had: Sequence[RunTime] = ()

    def pulls_at(self, moment: datetime) -> bool:
        """Whether something ran or was to run there then of which no digest is told."""
        return self.pulls_since is not None and self.pulls_since <= moment


class PlaceState(StrEnum):
    """How a place stands to a CVE at one time."""

    EXPOSED = "exposed"
    NOT_AFFECTED = "not affected"
    NOT_READ = "not read"
    GONE = "gone"
    """It ran, and runs no more."""


@dataclass(frozen=True, slots=True)
class ExposedTime:
    """A time through which a place had it: it ended by `until`, when something else was seen to run, and was last
    seen at `seen_at`. It may have begun before `since` where it `is_older`."""

    since: datetime
    is_older: bool
    seen_at: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class PlaceExposure:
    """One place at the time in question: what it runs, and through which times it had the CVE, the latest last."""

    source: str
    environment: str
    place: RunningPlace
    state: PlaceState
    builds: tuple[BuildInside, ...]
    images: tuple[str, ...]
    exposed: tuple[ExposedTime, ...] = ()
    why: str = ""

    @property
    def was_exposed(self) -> bool:
        """Whether it had it before, and has it no more."""
        return bool(self.exposed) and self.state in (PlaceState.NOT_AFFECTED, PlaceState.GONE)

    @property
    def packages(self) -> tuple[str, ...]:
        """Those that have it, or that were looked at."""
        wanted = [each for each in self.builds if each.is_affected] or self.builds
        return tuple(dict.fromkeys(package for each in wanted for package in each.packages))


@dataclass(frozen=True, slots=True)
class Asked:
    """The time that is asked of: one moment, or, with `since`, all from then until it."""

    at: datetime
    since: datetime | None = None


def exposures_of(
    asked: Asked,
    published_at: datetime | None,
    sources: Mapping[str, CoveredSource],
    places: Iterable[PlaceHistory],
) -> tuple[PlaceExposure, ...]:
    """Judges each place that ran at the time in question, or before that with the CVE; the worst first."""
    unknown = {name for name, source in sources.items() if not source.is_known(asked.at)}
    judged = (
        _judged(asked, published_at, sources[each.source], each, is_known=each.source not in unknown)
        for each in places
    )
    return tuple(sorted((each for each in judged if each is not None), key=_worst_first))


_ORDER = {state: number for number, state in enumerate(PlaceState)}


def _worst_first(exposure: PlaceExposure) -> tuple[int, str, str, str, str, str, str]:
    place = exposure.place
    names = place.namespace, place.kind, place.workload, place.container
    return _ORDER[exposure.state], exposure.environment, exposure.source, *names


def _judged(
    asked: Asked,
    published_at: datetime | None,
    source: CoveredSource,
    history: PlaceHistory,
    *,
    is_known: bool,
) -> PlaceExposure | None:
    at = asked.at
    present = [run for run in history.runs if run.since <= at and (run.until is None or run.until > at)]
    having = [run.time for run in history.runs if run.build.is_affected]
    exposed = tuple(exposed_times([*history.had, *having], published_at, at))
    builds = tuple({run.build.digest: run.build for run in present}.values())
    images = tuple(dict.fromkeys(run.image for run in present))
    where = source.name, source.environment, history.place
    if not present:
        return _absent(asked, published_at, source, history, exposed)
    if not is_known:
        why = f"{source.name} was not read as a whole then"
        return PlaceExposure(*where, PlaceState.NOT_READ, builds, images, exposed, why)
    is_public = published_at is None or published_at <= at
    if is_public and any(each.is_affected for each in builds):
        return PlaceExposure(*where, PlaceState.EXPOSED, builds, images, exposed)
    unknown = next((each for each in builds if each.is_affected is None), None)
    if unknown is not None:
        return PlaceExposure(*where, PlaceState.NOT_READ, builds, images, exposed, unknown.why)
    if history.place.kind in AZURE_KINDS and history.pulls_at(at):
        return PlaceExposure(*where, PlaceState.NOT_READ, builds, images, exposed, _why_no_digest(history.place))
    why = _why_free(builds) if is_public else "it was not published then"
    return PlaceExposure(*where, PlaceState.NOT_AFFECTED, builds, images, exposed, why)


def _absent(
    asked: Asked,
    published_at: datetime | None,
    source: CoveredSource,
    history: PlaceHistory,
    exposed: tuple[ExposedTime, ...],
) -> PlaceExposure | None:
    """A place where nothing runs that is known: it waits for its image, had the CVE, or is no matter."""
    where = source.name, source.environment, history.place
    if history.pulls_at(asked.at) and source.is_listed:
        return PlaceExposure(*where, PlaceState.NOT_READ, (), (), exposed, _why_no_digest(history.place))
    if not exposed:
        return None
    ran = [run for run in history.runs if published_at is None or run.until is None or run.until > published_at]
    had = [run for run in ran if run.build.is_affected and run.since <= asked.at]
    builds = tuple({run.build.digest: run.build for run in had}.values())
    images = tuple(dict.fromkeys(run.image for run in had))
    return PlaceExposure(*where, PlaceState.GONE, builds, images, exposed)


def _why_no_digest(place: RunningPlace) -> str:
    if place.kind in AZURE_KINDS:
        return "its template names a tag; Azure tells no digest, so name the image by digest there"
    return "it waits for its image"


def _why_free(builds: Sequence[BuildInside]) -> str:
    return "; ".join(dict.fromkeys(each.why for each in builds))


def exposed_times(having: Iterable[RunTime], published_at: datetime | None, at: datetime) -> Iterator[ExposedTime]:
    """The times until then through which a place had it, by the runs of builds that have it: those that follow each
    other are one time."""
    last: RunTime | None = None
    for since, is_older, seen_at, until in sorted(having, key=itemgetter(0)):
        if published_at is not None and since < published_at:
            since, is_older = published_at, False
        if since > at or (until is not None and until <= since):
            continue
        if last is not None and last[3] is not None and last[3] < since:
            yield ExposedTime(*last)
            last = None
        one = since, is_older, seen_at, until
        last = one if last is None else _joined(last, one)
    if last is not None:
        yield ExposedTime(*last)


def _joined(first: RunTime, second: RunTime) -> RunTime:
    since, is_older, seen_first, until_first = first
    since_second, is_second_older, seen_at, until = second
    is_older = is_older or (is_second_older and since_second == since)
    seen_at = seen_at if seen_at > seen_first else seen_first
    if until is None or until_first is None:
        return since, is_older, seen_at, None
    return since, is_older, seen_at, until if until > until_first else until_first
