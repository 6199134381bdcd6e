"""The exposure report: how long running places had which CVEs, by what `exposed` and the ledger read, in as many
statements however many places there are."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Self

from sqlalchemy import String, cast, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.clock import Clock
from bot.domain.failure import Failure
from bot.domain.feeds.advisory import Advisory, Severity
from bot.domain.packages.cves.publication import CvePublication
from bot.domain.running.causes import Part
from bot.domain.running.exposure import BuildInside, ExposedTime, PlaceRun, exposed_times
from bot.domain.running.promises import BuildBeside
from bot.domain.running.report import (
    CveTimes,
    ExposedPlaceTimes,
    known_parts,
    parts_within,
    sums_of,
    total,
    weeks_until,
)
from bot.images.vex.statements import VexStatement, heeded
from bot.images.vulnerabilities import DOTNET
from bot.store.engine.among import is_among
from bot.store.engine.codec import load, readable
from bot.store.engine.database import Database
from bot.store.engine.queue.claiming import Worker
from bot.store.engine.store import Store
from bot.store.pages.ledger.entries import Ledger
from bot.store.pages.ledger.exposed import Exposure
from bot.store.pages.ledger.gaps import gaps_of_fleet
from bot.store.pages.ledger.histories import add_shown
from bot.store.pages.ledger.ledger import read_ledger
from bot.store.pages.running.contents import read_contents
from bot.store.pages.running.exposed_builds import AskedBuilds, ExposedBuilds
from bot.store.pages.running.exposure import PLACES, RUNS, UNREAD, read_owners, read_producers
from bot.store.pages.running.sources import read_sources
from bot.store.pages.running.ways import WaysOfFixes
from bot.store.rows.bases.tables import advisories
from bot.store.rows.inventories.inventories import sbom_packages, sboms
from bot.store.rows.inventories.kept_data import kept_data
from bot.store.rows.inventories.vulnerabilities import vulnerabilities, vulnerability_cves
from bot.store.rows.running.past import sets_with
from bot.store.rows.running.running import place_in, runs
from bot.store.stores import Stores
from bot.upstream.feeds.combine import combine_all
from bot.views.running.exposed import image_name
from bot.views.running.report import ExposureReport, Unread
from bot.views.running.unread import unread_between

_SBOM_HELD = (
    select(sboms.c.inventory_id, func.aggregate_strings(cast(sbom_packages.c.package_id, String), ","))
    .join(sbom_packages, sbom_packages.c.sbom_id == sboms.c.id)
    .where(is_among(sboms.c.inventory_id, "inventories"), is_among(sbom_packages.c.package_id, "packages"))
    .group_by(sboms.c.inventory_id)
)
_CVE_NAME = func.coalesce(vulnerability_cves.c.cve, vulnerabilities.c.name)
_PUBLISHED = (
    select(_CVE_NAME, func.min(func.coalesce(vulnerabilities.c.published_at, vulnerabilities.c.seen_at)))
    .outerjoin(vulnerability_cves, vulnerability_cves.c.vulnerability_id == vulnerabilities.c.id)
    .group_by(_CVE_NAME)
)


class ExposureReportStore(Store):
    """Sums up how long what ran was exposed. What was worked out holds for some minutes, for all who ask."""

    def __init__(
        self,
        database: Database,
        worker: Worker,
        clock: Clock,
        max_age: timedelta,
        platforms: Collection[str] | None,
        statements: Callable[[], Sequence[VexStatement]],
        fix_within: Callable[[str], Mapping[Severity, timedelta]],
    ) -> None:
        super().__init__(database, worker, clock)
        self._max_age = max_age
        self._platforms = platforms
        self._statements = statements
        self._fix_within = fix_within
        self._working = asyncio.Lock()
        self._reports: dict[int, ExposureReport] = {}

    @classmethod
    def opened(cls, stores: Stores) -> Self:
        options = stores.options
        return cls(*stores.given, options.cve_data_age, options.platforms, options.statements, options.fix_within)

    async def report(self, days: int = 7, until: datetime | None = None) -> ExposureReport:
        """Sums up the last days until then, else until now, with the trend of the weeks before them."""
        async with self._working:
            until = until or self._clock.now()
            report = self._reports.get(days)
            if report is None or not report.until <= until < report.until + _HOLDS:
                report = self._reports[days] = await self._work_out(until - timedelta(days=days), until)
            return report

    async def _work_out(self, since: datetime, until: datetime) -> ExposureReport:
        heeded_statements, unheeded = await self._heeded()
        async with self._database.reading() as connection:
            sources = await read_sources(connection)
            listed = {number: each for number, each in sources.items() if each.is_listed or each.covered}
            if not listed:
                return ExposureReport(since, until)
            kept = await kept_data(connection)
            gaps = (*unheeded, *await gaps_of_fleet(connection, self._max_age, until, kept))
            ledger = await read_ledger(connection, None, self._platforms, until, looks_back=True)
            published = await _read_published(connection)
            owners = await read_owners(connection)
            promises = {name: self._fix_within(name) for name in owners}
            longest = max((each for of in promises.values() for each in of.values()), default=timedelta())
            first = min(since, weeks_until(until)[0][0]) - longest
            rows = (await connection.execute(_runs_since(first, until))).all()
            places = (await connection.execute(PLACES, {"sources": listed})).all()
            names = {row.build_id: image_name(row.image) for row in rows}
            contents = await read_contents(connection, names, self._platforms)
            errors = {row.build_id: row.error for row in await connection.execute(UNREAD, {"builds": names})}
            producers = await read_producers(connection, {row.build_id: row.image for row in rows})
            inside = [each for several in contents.values() for each in several]
            numbers = {each.inventory for each in inside if each.inventory is not None}
            await add_shown(connection, ledger.histories, numbers)
            exposed = ledger.exposed.by_package.keys()
            by_set = await sets_with(connection, exposed)
            asked_of = {"inventories": numbers, "packages": exposed}
            listed_by_sbom = (await connection.execute(_SBOM_HELD, asked_of)).all()
            by_sbom = {number: frozenset(map(int, text.split(","))) for number, text in listed_by_sbom}
        read = [each for each, at in kept.checked_at.items() if each != DOTNET and at is not None]
        publishers = frozenset(CvePublication(each).ecosystem.value for each in read)
        digests = {row.build_id: row.digest for row in rows}
        asked = AskedBuilds(digests, names, errors, publishers, heeded_statements)
        by_name = {each.name: each for each in listed.values()}

        def sum_up() -> ExposureReport:
            builds = ExposedBuilds(asked, ledger, by_sbom, by_set)
            builds.add(contents)
            past = _Past(ledger, builds, published, producers, owners, promises)
            past.add(rows, until)
            where = [(listed[row.source_id].name, row) for row in places if row.id in past.runs_of]
            known = {name: known_parts(each, since, until) for name, each in by_name.items()}
            sums = sums_of(since, until, by_name, (past.place(name, row, until) for name, row in where))
            unread = past.unread([(row.id, known[name]) for name, row in where], until)
            lines = tuple(line for each in by_name.values() for line in unread_between(each, since, until))
            ran = sum(past.ran(row.id, (since, by_name[name].told_until(until))) for name, row in where)
            return ExposureReport(since, until, sums, ran, unread, lines, gaps, tuple(by_name))

        return await asyncio.to_thread(sum_up)

    async def _heeded(self) -> tuple[Sequence[VexStatement], tuple[str, ...]]:
        """What authors who are heeded say of CVEs, and why that is not known."""
        try:
            read = await asyncio.to_thread(self._statements)
        except Failure as failure:
            return (), (f"no VEX statement is heeded: {failure}",)
        return heeded(read, self._clock.now()), ()


_HOLDS = timedelta(minutes=10)


def _runs_since(first: datetime, until: datetime) -> Any:
    is_there = or_(runs.c.until.is_(None), runs.c.until > first)
    return RUNS.where(is_there, runs.c.since <= until)


async def _read_published(connection: AsyncConnection) -> dict[str, datetime]:
    """When the first publisher told of each CVE."""
    published = {row[0]: row[1] for row in await connection.execute(_PUBLISHED)}
    said = await connection.execute(select(advisories))
    statements = readable(said, lambda row: load(row.advisory, Advisory), lambda row: f"{row.cve} of {row.source}")
    for advisory in combine_all(statements).values():
        if advisory.published_at is not None:
            published[advisory.cve] = min(advisory.published_at, published.get(advisory.cve, advisory.published_at))
    return published


@dataclass
class _Past:
    """What ran in each place, and which CVEs that had."""

    ledger: Ledger
    builds: ExposedBuilds
    published: Mapping[str, datetime]
    producers: Mapping[int, str]
    owners: Mapping[str, tuple[str, ...]]
    promises: Mapping[str, Mapping[Severity, timedelta]]
    runs_of: dict[int, list[PlaceRun]] = field(default_factory=lambda: defaultdict(list))
    builds_of: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        self._ways = WaysOfFixes(self.ledger)
        self._severities = {cve: facts.severity for cve, facts in self.ledger.exposed.cves.items()}

    def add(self, rows: Sequence[Any], at: datetime) -> None:
        """Takes in runs as they stood then, those of a place in the order in which they began."""
        for row in sorted(rows, key=lambda each: each.since):
            place, build, image, since, is_older, seen_at, until, pods, digest = row
            inside = BuildInside(digest, repository=self.producers.get(build, ""))
            ended = until if until is not None and until <= at else None
            run = PlaceRun(inside, image, since, is_older, min(seen_at, at), ended, pods)
            self.runs_of[place].append(run)
            self.builds_of[place].append(build)

    def place(self, source: str, row: Any, until: datetime) -> ExposedPlaceTimes:
        """The CVEs of one place: what the same runs have since the same time is worked out once, and told of all
        CVEs of which it is alike."""
        several = self.runs_of[row.id]
        positions = self._positions(row.id)
        began = {those: min(several[each].since for each in those) for those, _ in positions.values()}
        known: dict[tuple[tuple[int, ...], datetime | None], tuple[ExposedTime, ...]] = {}
        repository = next((run.build.repository for run in reversed(several) if run.build.repository), "")
        promises, images = self.promises.get(repository, {}), self._ways.images_of(several[-1].image, repository)
        told: dict[tuple[int, Severity | None, int, int], CveTimes] = {}
        names = defaultdict[tuple[int, Severity | None, int, int], list[str]](list)
        others: dict[tuple[tuple[int, ...], tuple[int, ...]], tuple[BuildBeside, ...]] = {}
        uncertain = [
            (each, of)
            for each, build in enumerate(self.builds_of[row.id])
            if (of := self.builds.uncertain.get(build))
        ]
        for cve, (those, exposures) in positions.items():
            published = self.published.get(cve)
            key = those, None if published is None or published <= began[those] else published
            if key not in known:
                known[key] = tuple(exposed_times([several[each].time for each in those], key[1], until))
            if not (times := known[key]):
                continue
            severity = self._severities.get(cve)
            within = promises.get(severity) if severity is not None else None
            seen: tuple[BuildBeside, ...] = ()
            if within is not None:
                beside = those, tuple([position for position, of in uncertain if cve in of])
                if beside not in others:
                    others[beside] = self._others(row.id, *beside)
                seen = others[beside]
            way = self._ways.way(images, cve, exposures)
            alike = id(times), severity, id(way), id(seen)
            if alike not in told:
                told[alike] = CveTimes((), severity, times, way, within, seen)
            names[alike].append(cve)
        cves = tuple(replace(each, cves=tuple(names[alike])) for alike, each in told.items())
        return ExposedPlaceTimes(source, place_in(row), self.owners.get(repository, ()), cves)

    def _positions(self, place: int) -> dict[str, tuple[tuple[int, ...], Sequence[Exposure]]]:
        """Which of a place's runs have each CVE, with what the last of them has of it."""
        builds = self.builds_of[place]
        of_sets: dict[int, list[int]] = {}
        for position, build in enumerate(builds):
            of_sets.setdefault(id(self.builds.having[build]), []).append(position)
        positions: dict[str, tuple[tuple[int, ...], Sequence[Exposure]]] = {}
        for those in map(tuple, of_sets.values()):
            for cve, exposures in self.builds.having[builds[those[0]]].items():
                before = positions.get(cve)
                positions[cve] = those if before is None else (*before[0], *those), exposures
        return positions

    def _others(self, place: int, having: Collection[int], uncertain: Collection[int]) -> tuple[BuildBeside, ...]:
        """What was seen in a place but for the runs at these positions; the uncertain ones may have it."""
        runs_and_builds = zip(self.runs_of[place], self.builds_of[place], strict=True)
        return tuple(
            BuildBeside(
                *(run.since, run.seen_at, build not in self.builds.why_incomplete and position not in uncertain)
            )
            for position, (run, build) in enumerate(runs_and_builds)
            if position not in having
        )

    def ran(self, place: int, time: Part) -> bool:
        """Whether anything ran in a place at some time between."""
        since, until = time
        return any(run.since < until and (not run.until or run.until > since) for run in self.runs_of[place])

    def unread(self, places: Sequence[tuple[int, Sequence[Part]]], until: datetime) -> tuple[Unread, ...]:
        """Why places may have had more than is told, the most frequent reason first."""
        parts = defaultdict[str, dict[int, list[Part]]](lambda: defaultdict(list))
        for place, known in places:
            for run, build in zip(self.runs_of[place], self.builds_of[place], strict=True):
                if why := self.builds.why_not_all.get(build):
                    ran = parts_within((run.since, run.until or until), known)
                    parts[why][place].extend(ran)
        summed = (
            Unread(why, sum(map(bool, of_place.values())), sum(map(total, of_place.values()), timedelta()))
            for why, of_place in parts.items()
        )
        return tuple(sorted((each for each in summed if each.time), key=lambda each: (-each.places, each.why)))
