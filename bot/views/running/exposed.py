"""The answer to the question where a CVE runs: its first sentence, its figures, and its rows as plain values."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from bot.domain.packages.cves.marks import NO_MARK, CveMark
from bot.domain.running.exposure import NOBODY, Asked, CoveredSource, ExposedTime, PlaceExposure, PlaceState
from bot.domain.wording.words import counted
from bot.views.images.ledger import LedgerRow
from bot.views.paging import Cut, Page, page_of
from bot.views.running.unread import unread_at, unread_between

EXPOSED, KNOWN, INCOMPLETE = 1, 0, 3
"""Exit codes."""
_MOST_REASONS = 8


@dataclass(frozen=True, slots=True)
class Narrowed:
    """The places that are asked of: of an environment or a source by its name, and of what these build."""

    environment: str | None = None
    repository: str | None = None
    org: str | None = None
    team: str | None = None

    @property
    def is_by_builder(self) -> bool:
        return any((self.repository, self.org, self.team))

    def takes_place(self, source: CoveredSource) -> bool:
        """Whether what runs there is asked of."""
        return self.environment in (None, source.environment, source.name)

    def takes(self, repository: str, teams: Mapping[str, frozenset[str]]) -> bool:
        """Whether what that repository builds is asked of, whatever the case of names; `teams` are those of each
        repository."""
        name = repository.lower()
        is_named = self.repository is None or name == self.repository.lower()
        is_of_org = self.org is None or name.startswith(f"{self.org.lower()}/")
        return is_named and is_of_org and (self.team is None or _has_team(self.team, teams.get(repository, ())))

    def unknown(self, sources: Iterable[CoveredSource], teams: Mapping[str, frozenset[str]]) -> str:
        """Says which name nothing bears, of these sources and these repositories with their teams; empty where all
        are known: what is asked of by a name with a slip in it is nowhere, and so not exposed to anything."""
        places = sorted({name for each in sources for name in (each.name, each.environment)})
        if self.environment is not None and places and self.environment not in places:
            return f"no source or environment is called {self.environment}; there are {', '.join(places)}"
        if self.repository is not None and not any(
            Narrowed(repository=self.repository).takes(each, {}) for each in teams
        ):
            return f"no repository of the fleet is called {self.repository}"
        if self.org is not None and not any(Narrowed(org=self.org).takes(each, {}) for each in teams):
            return f"no repository of the fleet is of {self.org}"
        if self.team is not None and not any(_has_team(self.team, each) for each in teams.values()):
            return f"no repository of the fleet names {self.team} as reviewer or owner"
        return ""


def _has_team(team: str, teams: Collection[str]) -> bool:
    return team.lower() in {each.lower() for each in teams}


@dataclass(frozen=True, slots=True)
class Mover:
    """Who moves a place on, and why it has not been, as the ledger tells of its image."""

    who: str
    says: str
    clocks: tuple[tuple[str, datetime | None], ...] = ()


@dataclass(frozen=True, slots=True)
class ExposureAnswer:
    """`places` ran at the time in question, or had the CVE before; `gaps` say why more of them may have it, and
    `would_tell` which settings would have more CVEs told. `nobodys` places run builds of nobody that is known: a
    question about what somebody builds leaves them out. `unknown` says which name of the question nothing bears."""

    cve: str
    asked: Asked
    sources: tuple[CoveredSource, ...]
    places: tuple[PlaceExposure, ...] = ()
    is_told: bool = False
    published_at: datetime | None = None
    title: str = ""
    gaps: tuple[str, ...] = ()
    would_tell: tuple[str, ...] = ()
    nobodys: int = 0
    unknown: str = ""
    mark: CveMark = NO_MARK
    movers: Mapping[str, Mover] = field(default_factory=dict)

    def of(self, *states: PlaceState) -> tuple[PlaceExposure, ...]:
        """The places that stand so."""
        return tuple(each for each in self.places if each.state in states)

    @property
    def had_it(self) -> tuple[PlaceExposure, ...]:
        """Those that have it or, where a time is asked of, had it within that."""
        since = self.asked.since
        if since is None:
            return self.of(PlaceState.EXPOSED)
        return tuple(
            each for each in self.places if any(time.until is None or time.until > since for time in each.exposed)
        )

    @property
    def unread(self) -> tuple[str, ...]:
        """A line for each source, and each time, of which it is not known what ran."""
        lines = [line for each in self.sources for line in _unread(each, self.asked)]
        if self.nobodys:
            places = counted(self.nobodys, "place")
            lines.append(f"{places} left out: what runs there is built by nobody we know")
        return tuple(lines)

    @property
    def exit_code(self) -> int:
        """1 where something is exposed, 0 where nothing is and nothing is left open, else 3."""
        if self.had_it:
            return EXPOSED
        is_open = (
            self.unknown
            or not self.is_told
            or not self.sources
            or self.of(PlaceState.NOT_READ)
            or self.unread
            or self.gaps
        )
        return INCOMPLETE if is_open else KNOWN

    @property
    def verdict(self) -> str:
        """The answer in one line."""
        if self.unknown:
            return f"not known: {self.unknown}"
        if not self.sources:
            return "not known: no source tells what runs (`running.sources` in the settings)"
        if not self.is_told:
            would = f"; these would: {', '.join(self.would_tell)}" if self.would_tell else ""
            return f"not known: no source that is read tells of it{would}"
        read = len(self.of(PlaceState.EXPOSED, PlaceState.NOT_AFFECTED))
        if not read and not self.had_it and (self.of(PlaceState.NOT_READ) or self.unread):
            return "; ".join(["not known: nothing was read of what runs", *self._not_read()])
        first = _over_time(self, read) if self.asked.since is not None else _at_once(self, read)
        return "; ".join([first, *_others(self), *self._not_read()])

    def _not_read(self) -> list[str]:
        unread = self.of(PlaceState.NOT_READ)
        of_nobody = sum(is_nobodys(each) for each in unread)
        nobodys = f", {of_nobody:,} of them {NOBODY}" if of_nobody else ""
        return [f"{len(unread):,} not read{nobodys}"] if unread else []


def is_nobodys(exposure: PlaceExposure) -> bool:
    """Whether nothing was read of what runs there, and nobody is known to build it."""
    return any(build.is_affected is None and not build.repository for build in exposure.builds)


def _at_once(answer: ExposureAnswer, read: int) -> str:
    exposed = answer.of(PlaceState.EXPOSED)
    if not exposed:
        return f"not exposed: none of {read:,} has it"
    first = min((each.exposed[-1] for each in exposed), key=lambda each: each.since)
    days = counted((answer.asked.at - first.since) // timedelta(days=1), "day", "days")
    since = f"since {'at least ' if first.is_older else ''}{first.since:%Y-%m-%d} ({days})"
    return f"exposed in {len(exposed):,} of {_places(read)} {since}"


def _over_time(answer: ExposureAnswer, read: int) -> str:
    assert answer.asked.since is not None
    had_it, since = answer.had_it, f"{answer.asked.since:%Y-%m-%d}"
    gone = sum(each.state is PlaceState.GONE for each in had_it)
    if not had_it:
        return f"not exposed since {since}: none of {read:,} had it"
    still = sum(each.state is PlaceState.EXPOSED for each in had_it)
    return f"exposed at some time since {since} in {len(had_it):,} of {_places(read + gone)}, in {still:,} still"


def _places(number: int) -> str:
    return counted(number, "running place")


def _others(answer: ExposureAnswer) -> Iterator[str]:
    free = answer.of(PlaceState.NOT_AFFECTED)
    ended = [each for each in free if each.was_exposed]
    before = ""
    if ended:
        until = max(time.until for each in ended for time in each.exposed if time.until is not None)
        before = f"of these {len(ended):,} {'was' if len(ended) == 1 else 'were'} exposed until {until:%Y-%m-%d}"
    if answer.of(PlaceState.EXPOSED):
        yield f"{len(free):,} not affected" + (f", {before}" if before else "")
    elif before:
        yield before
    if answer.asked.since is None and (gone := len(answer.of(PlaceState.GONE))):
        yield f"{counted(gone, 'place')} that {'is' if gone == 1 else 'are'} gone had it"


def _unread(source: CoveredSource, asked: Asked) -> Iterator[str]:
    """What is not known of one source; of one that settings name no more, only what it once told."""
    if asked.since is not None:
        yield from unread_between(source, asked.since, asked.at)
    elif source.is_listed or source.is_known(asked.at):
        yield from unread_at(source, asked.at)


def narrow(answer: ExposureAnswer, narrowed: Narrowed, teams: Mapping[str, frozenset[str]]) -> ExposureAnswer:
    """Leaves the places that run what is asked of; `teams` are those of each repository."""
    if not narrowed.is_by_builder:
        return answer
    kept = tuple(
        each
        for each in answer.places
        if any(narrowed.takes(build.repository, teams) for build in each.builds if build.repository)
    )
    nobodys = sum(
        each.state is PlaceState.NOT_READ and not any(build.repository for build in each.builds)
        for each in answer.places
    )
    return replace(answer, places=kept, nobodys=nobodys)


def image_name(image: str) -> str:
    """`registry/repository` of an image as a workload names it."""
    name = image.partition("@")[0]
    head, separator, tag = name.rpartition(":")
    return name if not separator or "/" in tag else head


COLUMNS = (
    *("environment", "source", "namespace", "workload", "container", "state", "package", "image", "digest"),
    *("repository", "exposed_from", "at_least", "last_seen", "exposed_until", "days", "who", "why"),
)


def table(answer: ExposureAnswer) -> Iterator[tuple[object, ...]]:
    """A row for each place and each time through which it had the CVE, or one of a place that never had it."""
    for each in answer.places:
        mover = mover_of(answer, each)
        place, digests = each.place, " ".join(build.digest for build in each.builds)
        repositories = " ".join(dict.fromkeys(build.repository for build in each.builds if build.repository))
        names = ", ".join(each.packages), " ".join(each.images), digests, repositories
        where = each.environment, each.source, place.namespace, f"{place.kind}/{place.workload}", place.container
        who, why = (mover.who, mover.says) if mover is not None else ("", each.why)
        for time in each.exposed or (None,):
            if time is None:
                yield (*where, each.state, *names, None, None, None, None, None, who, why)
                continue
            end = time.until or answer.asked.at
            days = round((end - time.since) / timedelta(days=1), 1)
            yield (*where, each.state, *names, time.since, time.is_older, time.seen_at, time.until, days, who, why)


def with_movers(answer: ExposureAnswer, rows: Iterable[LedgerRow]) -> ExposureAnswer:
    """The same with who moves exposed places on: what the ledger says of the image that a workload names, else of
    any of its name, else of what the same repository builds, as where a mirror has it under another name."""
    by_image = {row.image: row for row in rows}
    by_name = {row.name: row for row in reversed(by_image.values())}
    by_builder = {row.repository: row for row in reversed(by_image.values())}
    movers: dict[str, Mover] = {}
    for place in answer.of(PlaceState.EXPOSED):
        built = (by_builder[each.repository] for each in place.builds if each.repository in by_builder)
        own = next(built, None)
        for image in place.images:
            row = by_image.get(image.partition("@")[0]) or by_name.get(image_name(image)) or own
            if row is not None and image not in movers:
                movers[image] = _mover(row)
    return replace(answer, movers=movers)


def _mover(row: LedgerRow) -> Mover:
    clocks = tuple((clock.station.value, clock.at) for clock in row.clocks)
    if row.waits_at is None and not row.cannot_tell:
        return Mover(row.repository, "the image has the fix, and an older build of it runs", clocks)
    return Mover(row.who, f"{row.state}: {row.says}" if row.says else row.state, clocks)


def mover_of(answer: ExposureAnswer, place: PlaceExposure) -> Mover | None:
    """Who moves an exposed place on, as the ledger tells of the image that it runs."""
    if place.state is not PlaceState.EXPOSED:
        return None
    return next((answer.movers[image] for image in place.images if image in answer.movers), None)


@dataclass(frozen=True, slots=True)
class RunningBuild:
    """A build that a place runs; `affected` is None where that is not known."""

    digest: str
    affected: bool | None
    repository: str


@dataclass(frozen=True, slots=True)
class ExposedPlace:
    """One place of the answer. `who` moves it on and `stuck` is why it has not been; `clocks` are the stations that
    the fix has passed on its way there."""

    source: str
    environment: str
    namespace: str
    kind: str
    workload: str
    container: str
    state: PlaceState
    why: str
    images: tuple[str, ...]
    builds: tuple[RunningBuild, ...]
    packages: tuple[str, ...]
    exposed: tuple[ExposedTime, ...]
    who: str
    stuck: str
    clocks: Mapping[str, datetime | None]


@dataclass(frozen=True, slots=True)
class ExposurePage:
    """The answer with one page of its places, the worst first."""

    cve: str
    verdict: str
    title: str
    published_at: datetime | None
    at: datetime
    since: datetime | None
    exposed: int
    not_affected: int
    were_exposed: int
    not_read: int
    nobodys: int
    """Of these, how many run what nobody is known to build."""
    gone: int
    unread: tuple[str, ...]
    gaps: tuple[str, ...]
    places: Page[ExposedPlace]
    mark: CveMark = NO_MARK


def exposure_page(answer: ExposureAnswer, cut: Cut) -> ExposurePage:
    """Cuts one page of the places out of the answer."""
    part = answer.places[cut.offset : cut.offset + cut.per_page]
    rows = tuple(_exposed_place(answer, each) for each in part)
    free = answer.of(PlaceState.NOT_AFFECTED)
    return ExposurePage(
        *(answer.cve, answer.verdict, answer.title, answer.published_at, answer.asked.at, answer.asked.since),
        exposed=len(answer.of(PlaceState.EXPOSED)),
        not_affected=len(free),
        were_exposed=sum(each.was_exposed for each in free),
        not_read=len(answer.of(PlaceState.NOT_READ)),
        nobodys=sum(map(is_nobodys, answer.of(PlaceState.NOT_READ))),
        gone=len(answer.of(PlaceState.GONE)),
        unread=answer.unread,
        gaps=answer.gaps,
        places=page_of(rows, len(answer.places), cut),
        mark=answer.mark,
    )


def as_json(answer: ExposureAnswer) -> dict[str, Any]:
    """Gives the whole answer as plain JSON values."""
    page = asdict(exposure_page(answer, Cut(1, max(1, len(answer.places)))))
    return {**page, "places": page["places"]["items"]}


def _exposed_place(answer: ExposureAnswer, exposure: PlaceExposure) -> ExposedPlace:
    place, mover = exposure.place, mover_of(answer, exposure) or Mover("", "")
    builds = tuple(RunningBuild(each.digest, each.is_affected, each.repository) for each in exposure.builds)
    return ExposedPlace(
        *(exposure.source, exposure.environment, place.namespace, place.kind, place.workload, place.container),
        *(exposure.state, exposure.why, exposure.images, builds, exposure.packages, exposure.exposed),
        *(mover.who, mover.says, dict(mover.clocks)),
    )


def shown_rows(answer: ExposureAnswer) -> Iterator[tuple[object, ...]]:
    """A row for each place that has it, or had it, for people."""
    for each in answer.places:
        if not each.exposed:
            continue
        mover, last = mover_of(answer, each), each.exposed[-1]
        place = f"{each.place.namespace}/{each.place.workload}/{each.place.container}"
        since = f"{'at least ' if last.is_older else ''}{last.since:%Y-%m-%d %H:%M}"
        until = f"{last.until:%Y-%m-%d %H:%M}" if last.until is not None else ""
        where = " ".join(dict.fromkeys((each.environment, each.source))).strip()
        why = each.why if mover is None else f"{mover.says}; {mover.who} can move it" if mover.who else mover.says
        yield where, place, each.state.value, since, until, ", ".join(each.packages), why


def reasons(answer: ExposureAnswer, state: PlaceState) -> list[tuple[int, str]]:
    """Why places stand so, the most frequent first, each with how many it holds of; few of many."""
    told = Counter(each.why for each in answer.of(state)).most_common()
    rest = sum(number for _, number in told[_MOST_REASONS:])
    others = [(rest, "for other reasons")] if rest else []
    return [*((number, why) for why, number in told[:_MOST_REASONS]), *others]
