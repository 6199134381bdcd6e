"""Where a CVE runs, or ran: read in as many statements however many places there are."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Self

from sqlalchemy import and_, func, or_, select, union, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.clock import Clock
from bot.domain.failure import Failure
from bot.domain.feeds.advisory import Advisory
from bot.domain.packages.cves.marks import NO_MARK
from bot.domain.packages.cves.publication import CvePublication
from bot.domain.packages.cves.vulnerability import AffectedPackage, affected_by
from bot.domain.packages.package import RUNTIME_PACK, Package, PackageType
from bot.domain.packages.wanted import Fit
from bot.domain.platform import platform_of
from bot.domain.repositories.repository_config import RepositoryConfig
from bot.domain.running.exposure import Asked, BuildInside, CoveredSource, PlaceHistory, PlaceRun, exposures_of
from bot.domain.running.inside import AskedCve, HeldPlatform, SaidPackage, inside_of
from bot.images.sbom.package_url import package_url
from bot.images.scanners.report import Report
from bot.images.vex.excusing import excuse_of
from bot.images.vex.statements import VexStatement, heeded
from bot.images.vulnerabilities import DOTNET, unread_publishers
from bot.store.engine.among import is_among
from bot.store.engine.codec import load, readable
from bot.store.engine.database import Database
from bot.store.engine.queue.claiming import Worker
from bot.store.engine.store import Store
from bot.store.pages.images.found_packages import distribution_in
from bot.store.pages.ledger.gaps import gaps_of_fleet
from bot.store.pages.running.contents import BuildContent, read_contents
from bot.store.pages.running.sources import read_sources
from bot.store.rows.bases.tables import advisories
from bot.store.rows.images.images import images
from bot.store.rows.inventories.inventories import (
    image_inventories,
    inventory_packages,
    package_of,
    packages,
    sbom_packages,
    sboms,
)
from bot.store.rows.inventories.kept_data import kept_data
from bot.store.rows.inventories.marks import read_marks
from bot.store.rows.inventories.vulnerabilities import affected_packages, vulnerabilities, vulnerability_cves
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.running.past import past_contents, sets_with
from bot.store.rows.running.running import (
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


_NAMED = union(
    select(packages).where(is_among(packages.c.name, "names")),
    select(packages).where(is_among(packages.c.source, "names")),
    select(packages).where(
        packages.c.type == PackageType.NUGET.value,
        is_among(func.lower(packages.c.name, type_=packages.c.name.type), "names"),
    ),
)
_HELD = union(
    select(inventory_packages.c.inventory_id, inventory_packages.c.package_id)
    .join(running_contents, running_contents.c.inventory_id == inventory_packages.c.inventory_id)
    .where(is_among(inventory_packages.c.package_id, "packages")),
    select(sboms.c.inventory_id, sbom_packages.c.package_id)
    .join(sboms, sboms.c.id == sbom_packages.c.sbom_id)
    .join(running_contents, running_contents.c.inventory_id == sboms.c.inventory_id)
    .where(is_among(sbom_packages.c.package_id, "packages")),
)
UNREAD = select(running_reads.c.build_id, running_reads.c.error).where(
    is_among(running_reads.c.build_id, "builds"), running_reads.c.error.is_not(None)
)
_OF_HELD = union_all(
    select(running_contents.c.build_id).where(is_among(running_contents.c.inventory_id, "holding")),
    select(past_contents.c.build_id).where(is_among(past_contents.c.system_set_id, "sets")),
    select(past_contents.c.build_id).where(is_among(past_contents.c.other_set_id, "sets")),
)
_RUN = ("place_id", "build_id", "image", "since", "is_older", "seen_at", "until", "pods")
RUNS = select(*(runs.c[name] for name in _RUN), running_builds.c.digest).join(
    running_builds, running_builds.c.id == runs.c.build_id
)
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
            sources = await read_sources(connection, narrowed.environment)
            told = await _read_told(connection, cve)
            kept = await kept_data(connection)
            mark = (await read_marks(connection, [cve])).get(cve, NO_MARK)
            covered = tuple(sources.values())
            answer = ExposureAnswer(cve, asked, covered, would_tell=unread_publishers(kept), mark=mark)
            if told is None or not sources:
                return replace(answer, is_told=told is not None)
            gaps = (*unheeded, *await gaps_of_fleet(connection, self._max_age, self._clock.now()))
            read = [each for each, at in kept.checked_at.items() if each != DOTNET and at is not None]
            publishers = frozenset(CvePublication(each).ecosystem.value for each in read)
            said = _Said(cve, AskedCve(told.affected, publishers), heeded_statements)
            histories = await self._read_histories(connection, asked, told, said, sources)
            teams = _teams(await read_owners(connection)) if narrowed.team else {}
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
        told: "_ToldCve",
        said: "_Said",
        sources: Mapping[int, CoveredSource],
    ) -> list[PlaceHistory]:
        """The places of these sources, with their runs in the time in question, and before that those of builds
        that hold what is affected."""
        names = {name for each in told.affected for name in (*each.names, each.name)}
        names |= {f"{RUNTIME_PACK}{name}" for name in names}
        cve = said.cve
        named = (await connection.execute(_NAMED, {"names": names})).all()
        about = {row.id: package for row in named if cve.is_about(package := package_of(row))}
        holding: dict[int, list[int]] = {}
        for inventory, package_id in await connection.execute(_HELD, {"packages": about}):
            holding.setdefault(inventory, []).append(package_id)
        sets = await sets_with(connection, about)
        having = {number for number, package in about.items() if cve.may_have(package)}
        suspect = {
            name: [number for number, held in each.items() if not having.isdisjoint(held)]
            for name, each in (("holding", holding), ("sets", sets))
        }
        history = await _read_history(connection, asked, told.published_at, suspect, sources)
        digests = {row.build_id: row.digest for row in history.runs}
        said.about = about
        images = {row.build_id: image_name(row.image) for row in history.runs}
        contents = await read_contents(connection, digests, self._platforms)
        platforms = {
            build: [_platform_of(each, digests[build], images[build], holding, sets, said) for each in several]
            for build, several in contents.items()
        }
        producers = await read_producers(connection, history.runs)
        errors = {row.build_id: row.error for row in await connection.execute(UNREAD, {"builds": digests})}
        builds = {
            number: inside_of(
                digest, platforms.get(number, ()), cve, producers.get(number, ""), errors.get(number, "")
            )
            for number, digest in digests.items()
        }
        return history.of_places(sources, builds)


def _platform_of(
    content: BuildContent,
    digest: str,
    image: str,
    holding: Mapping[int, Sequence[int]],
    sets: Mapping[int, Sequence[int]],
    said: "_Said",
) -> HeldPlatform:
    """A platform of a build with what is said of those of its packages that the CVE is about."""
    if content.inventory is not None:
        inside: Sequence[int] = holding.get(content.inventory, ())
    else:
        inside = [package for each in content.sets for package in sets.get(each, ())]
    platform = content.held()
    packages_said = tuple(said.of(package, platform.release) for package in inside)
    if said.statements:
        digests = frozenset((digest, *content.digests))
        report = Report((), image_name=image, image_digests=digests, platform=platform_of(content.platform))
        pairs = zip(inside, packages_said, strict=True)
        packages_said = tuple(said.excused(*pair, content.distribution, report) for pair in pairs)
    return replace(platform, packages=packages_said)


@dataclass
class _Said:
    """What publishers, and authors of VEX `statements`, say of packages, by their ids: that of publishers once for
    all images of a release that hold them."""

    name: str
    cve: AskedCve
    statements: Sequence[VexStatement] = ()
    about: Mapping[int, Package] = field(default_factory=dict)
    _known: dict[tuple[int, str | None], SaidPackage] = field(default_factory=dict)

    def of(self, package: int, release: str | None) -> SaidPackage:
        key = package, release
        if key not in self._known:
            self._known[key] = self.cve.said_of(self.about[package], release)
        return self._known[key]

    def excused(self, package: int, said: SaidPackage, distribution: str | None, report: Report) -> SaidPackage:
        """The package as a statement about it in that image has it, where one takes the CVE away."""
        if said.fit is Fit.NO:
            return said
        url = package_url(self.about[package], distribution_in(distribution)) or ""
        statement = excuse_of(self.name, self.about[package], url, self.statements, report)
        if statement is None:
            return said
        because = f" ({statement.reason})" if statement.reason else ""
        by = statement.author or "an unnamed author"
        return said.excused(f"{statement.status.replace('_', ' ')}{because}, says {by} by VEX")


@dataclass(frozen=True, slots=True)
class _History:
    """The rows of places and of their runs."""

    places: Sequence[Any]
    runs: Sequence[Any]

    def of_places(
        self, sources: Mapping[int, CoveredSource], builds: Mapping[int, BuildInside]
    ) -> list[PlaceHistory]:
        runs_of: dict[int, list[PlaceRun]] = {}
        for place, build, image, since, is_older, seen_at, until, pods, _ in self.runs:
            run = PlaceRun(builds[build], image, since, is_older, seen_at, until, pods)
            runs_of.setdefault(place, []).append(run)
        return [
            PlaceHistory(
                *(sources[row.source_id].name, place_in(row), tuple(runs_of.get(row.id, ())), row.pulls_since)
            )
            for row in self.places
            if row.id in runs_of or row.pulls_since is not None
        ]


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
    suspect: Mapping[str, Collection[int]],
    sources: Mapping[int, CoveredSource],
) -> _History:
    """Reads what ran in the time in question, and of what ran before that, since the CVE is known, the builds that
    hold what it affects: by inventories, and by sets of packages."""
    begin = asked.since or asked.at
    began = runs.c.since <= asked.at
    queries = [RUNS.where(runs.c.until.is_(None), began), RUNS.where(runs.c.until > begin, began)]
    parameters: Mapping[str, Collection[int]] = {}
    if published_at is None or published_at < begin:
        held = RUNS.where(runs.c.until <= begin, runs.c.build_id.in_(_OF_HELD))
        queries.append(held if published_at is None else held.where(runs.c.until > published_at))
        parameters = suspect
    rows = (await connection.execute(union_all(*queries), parameters)).all()
    places = await connection.execute(PLACES, {"sources": sources})
    of_sources = places.all()
    numbers = {row.id for row in of_sources}
    return _History(of_sources, [row for row in rows if row.place_id in numbers])


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


async def read_producers(connection: AsyncConnection, run_rows: Sequence[Any]) -> dict[int, str]:
    """Which repository builds what runs, by the ids of builds: by what its image shows, else by its name."""
    names = {row.build_id: image_name(row.image) for row in run_rows}
    built_by = await connection.execute(_BUILT_BY, {"builds": names})
    producers = {row.build_id: row.name for row in built_by}
    paths = {name.partition("/")[2] for number, name in names.items() if number not in producers}
    by_name = {
        f"{row.registry}/{row.repository}": row.name
        for row in await connection.execute(_NAMED_BY, {"paths": paths})
    }
    return {number: producers.get(number) or by_name.get(name, "") for number, name in names.items()}


async def read_owners(connection: AsyncConnection) -> dict[str, tuple[str, ...]]:
    """Who owns repositories, by their names."""
    rows = await connection.execute(select(repositories.c.name, repositories.c.config))
    return dict(
        readable(
            rows,
            lambda row: (row.name, load(row.config, RepositoryConfig).owners),
            lambda row: f"repository {row.name}",
        )
    )


def _teams(owners: Mapping[str, tuple[str, ...]]) -> dict[str, frozenset[str]]:
    """The same with the names of teams also without their organisation."""
    return {
        name: frozenset({*of_it, *(each.rpartition("/")[2] for each in of_it)}) for name, of_it in owners.items()
    }
