"""Where a CVE runs, or ran: read in as many statements however many places there are."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.clock import Clock
from bot.domain.failure import Failure
from bot.domain.feeds.advisory import Advisory
from bot.domain.packages.cves.marks import NO_MARK
from bot.domain.packages.cves.publication import CvePublication
from bot.domain.packages.cves.vulnerability import AffectedPackage, affected_by
from bot.domain.repositories.repository_config import RepositoryConfig
from bot.domain.running.exposure import (
    Asked,
    BuildInside,
    CoveredSource,
    PlaceHistory,
    PlaceRun,
    RunTime,
    exposures_of,
)
from bot.domain.running.inside import AskedCve, inside_of
from bot.images.vex.statements import VexStatement, heeded
from bot.images.vulnerabilities import DOTNET, unread_publishers
from bot.store.engine.among import is_among
from bot.store.engine.codec import load, readable
from bot.store.engine.database import Database
from bot.store.engine.queue.claiming import Worker
from bot.store.engine.store import Store
from bot.store.pages.ledger.gaps import gaps_of_fleet
from bot.store.pages.running.contents import read_contents
from bot.store.pages.running.said import HavingBuilds, SaidOfCve, read_having, read_said
from bot.store.pages.running.sources import read_sources
from bot.store.rows.bases.tables import advisories
from bot.store.rows.images.images import images
from bot.store.rows.inventories.inventories import image_inventories
from bot.store.rows.inventories.kept_data import kept_data
from bot.store.rows.inventories.marks import read_marks
from bot.store.rows.inventories.vulnerabilities import affected_packages, vulnerabilities, vulnerability_cves
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.running.packed_runs import EVER, PackedRuns, microseconds
from bot.store.rows.running.past_runs import read_past
from bot.store.rows.running.running import (
    HAS_ENDED,
    place_in,
    running_builds,
    running_contents,
    running_places,
    running_reads,
    runs,
)
from bot.store.stores import Stores
from bot.upstream.feeds.combine import combine_all
from bot.views.running.exposed import ExposureAnswer, Narrowed, image_name, narrow


@dataclass(frozen=True, slots=True)
class _ToldCve:
    """What publishers say of it, and when the first did; None where nobody does."""

    affected: tuple[AffectedPackage, ...]
    published_at: datetime | None
    title: str


UNREAD = select(running_reads.c.build_id, running_reads.c.error).where(
    is_among(running_reads.c.build_id, "builds"), running_reads.c.error.is_not(None)
)
_OF_BUILD = runs.c.build_id == running_builds.c.id
_LAST_IMAGE = (
    select(runs.c.image).where(_OF_BUILD).order_by(runs.c.since.desc(), runs.c.image).limit(1).scalar_subquery()
)
_BUILDS = select(running_builds.c.id, running_builds.c.digest, _LAST_IMAGE.label("image")).where(
    is_among(running_builds.c.id, "builds")
)
"""Each with the name under which it ran last."""
_RUN = [runs.c[n] for n in ("place_id", "build_id", "image", "since", "is_older", "seen_at", "until", "pods")]
_RUNS = select(runs.c.id, *_RUN)
_TIMES = select(*(runs.c[n] for n in ("id", "place_id", "build_id", "since", "is_older", "seen_at", "until")))
RUNS = select(*_RUN, running_builds.c.digest).join(running_builds, running_builds.c.id == runs.c.build_id)
PLACES = select(running_places).where(is_among(running_places.c.source_id, "sources"))


class ExposureStore(Store):
    """Answers where a CVE runs, from the store alone."""

    def __init__(
        self,
        database: Database,
        worker: Worker,
        clock: Clock,
        max_age: timedelta,
        platforms: Collection[str] | None,
        statements: Callable[[], Sequence[VexStatement]],
    ) -> None:
        super().__init__(database, worker, clock)
        self._max_age = max_age
        self._platforms = platforms
        self._statements = statements

    @classmethod
    def opened(cls, stores: Stores) -> Self:
        return cls(*stores.given, stores.options.cve_data_age, stores.options.platforms, stores.options.statements)

    async def exposure(self, cve: str, asked: Asked, narrowed: Narrowed) -> ExposureAnswer:
        """Which places that ran at the time in question have it, or had it."""
        heeded_statements, unheeded = await self._heeded(cve)
        async with self._database.reading() as connection:
            all_sources = await read_sources(connection)
            sources = {number: each for number, each in all_sources.items() if narrowed.takes_place(each)}
            teams = _teams(await read_owners(connection)) if narrowed.is_by_builder else {}
            told = await _read_told(connection, cve)
            kept = await kept_data(connection)
            mark = (await read_marks(connection, [cve])).get(cve, NO_MARK)
            covered = tuple(sources.values())
            answer = ExposureAnswer(cve, asked, covered, would_tell=unread_publishers(kept), mark=mark)
            answer = replace(answer, unknown=narrowed.unknown(all_sources.values(), teams))
            if told is None or not sources or answer.unknown:
                return replace(answer, is_told=told is not None)
            gaps = (*unheeded, *await gaps_of_fleet(connection, self._max_age, self._clock.now(), kept))
            read = [each for each, at in kept.checked_at.items() if each != DOTNET and at is not None]
            publishers = frozenset(CvePublication(each).ecosystem.value for each in read)
            asked_cve = AskedCve(told.affected, publishers)
            said = await read_said(connection, cve, asked_cve, heeded_statements)
            histories = await self._read_histories(connection, asked, told.published_at, said, sources)
        by_name = {each.name: each for each in covered}
        exposures = exposures_of(asked, told.published_at, by_name, histories)
        answer = replace(answer, places=exposures, is_told=True, gaps=gaps)
        answer = replace(answer, published_at=told.published_at, title=told.title)
        return narrow(answer, narrowed, teams)

    async def _heeded(self, cve: str) -> tuple[Sequence[VexStatement], tuple[str, ...]]:
        """What authors who are heeded say of the CVE, and why that is not known."""
        try:
            read = await asyncio.to_thread(self._statements)
        except Failure as failure:
            return (), (f"no VEX statement is heeded: {failure}",)
        about = [each for each in read if cve.upper() in each.vulnerabilities]
        return heeded(about, self._clock.now()), ()

    async def _read_histories(
        self,
        connection: AsyncConnection,
        asked: Asked,
        published_at: datetime | None,
        said: SaidOfCve,
        sources: Mapping[int, CoveredSource],
    ) -> list[PlaceHistory]:
        """The places of these sources, with what ran there at the time in question, and before that of what is
        affected."""
        having = await read_having(connection, said, self._platforms)
        history = await _read_history(connection, asked, published_at, having, sources)
        builds = await self._judge(connection, history.to_judge(having), said)
        return history.of_places(sources, builds, having)

    async def _judge(
        self, connection: AsyncConnection, builds: Collection[int], said: SaidOfCve
    ) -> dict[int, BuildInside]:
        """What is inside of these builds."""
        rows = (await connection.execute(_BUILDS, {"builds": builds})).all()
        digests = {row.id: row.digest for row in rows}
        images_of = {row.id: row.image for row in rows}
        contents = await read_contents(connection, digests, self._platforms)
        producers = await read_producers(connection, images_of)
        errors = {row.build_id: row.error for row in await connection.execute(UNREAD, {"builds": digests})}
        judged: dict[int, BuildInside] = {}
        for number, digest in digests.items():
            image = image_name(images_of[number])
            platforms = [said.platform(each, digest, image) for each in contents.get(number, ())]
            known = producers.get(number, ""), errors.get(number, "")
            judged[number] = inside_of(digest, platforms, said.cve, *known)
        return judged


@dataclass(frozen=True, slots=True)
class _Ended:
    """What ended after a time, and began before another, `at`: runs that are rows, and those that are packed, by
    places. `span` is both times as those have them."""

    times: Sequence[Any]
    packed: Mapping[int, PackedRuns]
    at: datetime
    span: tuple[int, int]

    def there(self) -> set[int]:
        """The ids of those that ran at the later time."""
        ids = {row.id for row in self.times if row.until > self.at}
        return ids.union(*(past.there_at(self.span[1]) for past in self.packed.values()))

    def builds(self) -> set[int]:
        """The builds of all others, and of some more."""
        builds = {row.build_id for row in self.times}
        builds.update(*(past.builds_ended(*self.span) for past in self.packed.values()))
        return builds

    def ids(self, places: Collection[int], builds: Set[int]) -> set[int]:
        """The ids of those of these builds that had ended in these places."""
        of_rows = (row for row in self.times if row.place_id in places and row.build_id in builds)
        ids = {row.id for row in of_rows if row.until <= self.at}
        several = (past for place, past in self.packed.items() if place in places)
        return ids.union(*(past.ended(*self.span, builds) for past in several))

    def of_builds(self, places: Collection[int], builds: Set[int]) -> dict[int, list[RunTime]]:
        """When these builds had run in each of these places."""
        had: dict[int, list[RunTime]] = {place: [] for place in places}
        for _, place, build, since, is_older, seen_at, until in self.times:
            if build in builds and place in had and until <= self.at:
                had[place].append((since, is_older, seen_at, until))
        for place, past in self.packed.items():
            if place in had:
                had[place].extend(past.times(*self.span, builds))
        return had


@dataclass(frozen=True, slots=True)
class _History:
    """The rows of places, of the runs there at the time in question, and, where nothing runs any more, of those
    before that of builds that may have it; with when all others had `ended`."""

    places: Sequence[Any]
    present: Sequence[Any]
    gone: Sequence[Any]
    ended: _Ended

    def to_judge(self, having: HavingBuilds) -> set[int]:
        """The builds of which more is to be told than that they have it."""
        shown = {row.build_id for several in (self.present, self.gone) for row in several}
        return shown | (having.to_judge & self.ended.builds() if having.to_judge else set())

    def of_places(
        self, sources: Mapping[int, CoveredSource], builds: Mapping[int, BuildInside], having: HavingBuilds
    ) -> list[PlaceHistory]:
        runs_of: dict[int, list[PlaceRun]] = {}
        for several in (self.present, self.gone):
            for _, place, build, image, since, is_older, seen_at, until, pods in several:
                run = PlaceRun(builds[build], image, since, is_older, seen_at, until, pods)
                runs_of.setdefault(place, []).append(run)
        affected = having.certain | {number for number, inside in builds.items() if inside.is_affected}
        had = self.ended.of_builds({row.place_id for row in self.present}, affected)
        return [
            PlaceHistory(
                *(sources[row.source_id].name, place_in(row), _in_order(runs_of.get(row.id, ())), row.pulls_since),
                had.get(row.id, ()),
            )
            for row in self.places
            if row.id in runs_of or row.pulls_since is not None
        ]


def _in_order(several: Iterable[PlaceRun]) -> tuple[PlaceRun, ...]:
    """As they began."""
    return tuple(sorted(several, key=lambda run: (run.since, run.build.digest)))


async def _read_told(connection: AsyncConnection, cve: str) -> _ToldCve | None:
    """What dumps and the advisories of .NET say is affected by it; None where none of them does."""
    cve_name = func.coalesce(vulnerability_cves.c.cve, vulnerabilities.c.name)
    records = await connection.execute(
        select(
            *(vulnerabilities.c.name, vulnerabilities.c.title, vulnerabilities.c.published_at),
            *(vulnerabilities.c.seen_at, affected_packages.c.affected),
        )
        .outerjoin(vulnerability_cves, vulnerability_cves.c.vulnerability_id == vulnerabilities.c.id)
        .outerjoin(affected_packages, affected_packages.c.vulnerability_id == vulnerabilities.c.id)
        .where(or_(vulnerability_cves.c.cve == cve, and_(vulnerabilities.c.name == cve, cve_name == cve)))
        .order_by(vulnerabilities.c.id)
    )
    rows = records.all()
    said = await connection.execute(select(advisories).where(advisories.c.cve == cve))
    statements = readable(said, lambda row: load(row.advisory, Advisory), lambda row: f"{row.cve} of {row.source}")
    combined = list(combine_all(statements).values())
    affected = readable(
        (row for row in rows if row.affected is not None),
        lambda row: load(row.affected, AffectedPackage),
        lambda row: f"record {row.name}",
    )
    affected += [each for advisory in combined for each in affected_by(advisory)]
    if not rows and not affected:
        return None
    published = [each.published_at for each in combined if each.published_at is not None]
    published += [row.published_at or row.seen_at for row in rows]
    titles = [each.title for each in combined] + [row.title for row in rows]
    return _ToldCve(tuple(affected), min(published, default=None), next(filter(None, titles), ""))


async def _read_history(
    connection: AsyncConnection,
    asked: Asked,
    published_at: datetime | None,
    having: HavingBuilds,
    sources: Mapping[int, CoveredSource],
) -> _History:
    """Reads what ran at the time in question, and of what ran before that, since the CVE is known, the builds that
    may have it."""
    places = (await connection.execute(PLACES, {"sources": sources})).all()
    numbers = {row.id for row in places}
    open_runs = await connection.execute(_RUNS.where(runs.c.until.is_(None), runs.c.since <= asked.at))
    present = {row.id: row for row in open_runs if row.place_id in numbers}
    after = published_at if published_at is None or published_at < asked.at else asked.at
    ended = await _read_ended(connection, numbers, asked.at, after)
    present |= {row.id: row for row in await _read_runs(connection, ended.there())}
    empty = numbers - {row.place_id for row in present.values()}
    gone = await _read_runs(connection, ended.ids(empty, having.certain | having.to_judge))
    return _History(places, tuple(present.values()), gone, ended)


async def _read_runs(connection: AsyncConnection, ids: Collection[int]) -> Sequence[Any]:
    return (await connection.execute(_RUNS.where(is_among(runs.c.id, "runs")), {"runs": ids})).all()


async def _read_ended(
    connection: AsyncConnection, places: Collection[int], at: datetime, after: datetime | None
) -> _Ended:
    """Reads the runs of these places that ended after a time and began before another."""
    between = (runs.c.since <= at, *(() if after is None else (runs.c.until > after,)))
    times = list(await connection.execute(_TIMES.where(HAS_ENDED, *between)))
    past = await read_past(connection, places, after)
    packed = {place: several for place, several in past.items() if several is not None}
    if unreadable := past.keys() - packed.keys():
        of_place = runs.c.is_past.is_(True), is_among(runs.c.place_id, "places"), *between
        times += await connection.execute(_TIMES.where(*of_place), {"places": unreadable})
    span = EVER if after is None else microseconds(after), microseconds(at)
    return _Ended([row for row in times if row.place_id in places], packed, at, span)


_BUILT_BY = (
    select(running_contents.c.build_id, repositories.c.name)
    .join(image_inventories, image_inventories.c.inventory_id == running_contents.c.inventory_id)
    .join(images, images.c.id == image_inventories.c.image_id)
    .join(repositories, repositories.c.id == images.c.repository_id)
    .where(is_among(running_contents.c.build_id, "builds"))
    .distinct()
)
_NAMED_BY = (
    select(images.c.registry, images.c.repository, repositories.c.name)
    .join(repositories, repositories.c.id == images.c.repository_id)
    .where(is_among(images.c.repository, "paths"))
    .distinct()
)


async def read_producers(connection: AsyncConnection, images_of: Mapping[int, str]) -> dict[int, str]:
    """Which repository builds what runs, by the ids of builds: by what its image shows, else by its name. Each is
    given with an image as a workload names it."""
    names = {number: image_name(image) for number, image in images_of.items()}
    built_by = await connection.execute(_BUILT_BY, {"builds": names})
    producers = {row.build_id: row.name for row in built_by}
    paths = {name.partition("/")[2] for number, name in names.items() if number not in producers}
    by_name = {
        f"{row.registry}/{row.repository}": row.name
        for row in await connection.execute(_NAMED_BY, {"paths": paths})
    }
    return {number: producers.get(number) or by_name.get(name, "") for number, name in names.items()}


async def read_owners(connection: AsyncConnection) -> dict[str, tuple[str, ...]]:
    """Who owns repositories, by the names of all; nobody where that cannot be read."""
    rows = (await connection.execute(select(repositories.c.name, repositories.c.config))).all()
    owners = readable(
        rows,
        lambda row: (row.name, load(row.config, RepositoryConfig).owners),
        lambda row: f"repository {row.name}",
    )
    return {**{row.name: () for row in rows}, **dict(owners)}


def _teams(owners: Mapping[str, tuple[str, ...]]) -> dict[str, frozenset[str]]:
    """The same with the names of teams also without their organisation."""
    return {
        name: frozenset({*of_it, *(each.rpartition("/")[2] for each in of_it)}) for name, of_it in owners.items()
    }
