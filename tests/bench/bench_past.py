"""How large two years of what ran are in the store, and how fast it is told where a CVE ran.

The fleet is synthetic: 1,000 services in four places each, two builds a week. A service stands on one of three
bases, which publish every second week and then change five of their packages; all builds on a publication share
what it installed. A service has 120 NuGet packages of 2,000; in half of the weeks two of them move on, and a tenth
of the second builds of a week have a set of their own. So there are 208,000 builds, 832,000 runs.
"""

import asyncio
import random
import statistics
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text

from bot.domain.clock import ManualClock
from bot.domain.packages.cves.publication import CvePublication, DumpMark
from bot.domain.packages.cves.vulnerability import AffectedPackage, VersionRange, Vulnerability
from bot.domain.running.exposure import Asked
from bot.fleet.running.rows import RunningStore
from bot.fleet.watch.vulnerabilities.rows.vulnerabilities import VulnerabilitiesStore
from bot.fleet.watch.vulnerabilities.tick import KeptDump
from bot.fleet.wiring.collecting import collected_seldom
from bot.store.engine.database import Database, open_database
from bot.store.engine.queue.claiming import Worker
from bot.store.pages.running.exposure import ExposureStore
from bot.store.rows.inventories.inventories import inventories, inventory_packages, packages
from bot.store.rows.running.past import PastContent, keep_past
from bot.store.rows.running.running import (
    running_builds,
    running_contents,
    running_looks,
    running_places,
    running_sources,
    runs,
)
from bot.store.stores import Stores
from bot.upstream.osv.addresses import DumpSource
from bot.upstream.osv.dump import DumpReading
from bot.upstream.osv.record import WantedPackages
from bot.views.running.exposed import Narrowed
from tests.bench.engines import on_both, write_rows
from tests.bench.measured import Measured

SERVICES, PLACES, WEEKS, BUILDS = 1_000, 4, 104, 2
OF_BASES, NUGET, NUGET_NAMES = (120, 60, 25), 120, 2_000
NOON = datetime.fromisoformat("2026-12-01T12:00:00+00:00")
ASKED = 5
AIM_SIZE, AIM_SECONDS = 300_000_000, 0.200
AS_ROWS = 5
"""The contents of so many weeks are also written as rows of inventories, to tell what that would take."""
DISTRIBUTION = {"id": "ubuntu", "version": "24.04"}


def run() -> list[Measured]:
    with collected_seldom():
        return asyncio.run(on_both(_measured))


async def _measured(engine: str, url: str) -> list[Measured]:
    database = await open_database(url)
    try:
        empty = await _size(database)
        sets = await _fill(database)
        size = await _size(database) - empty
        await _tell(database)
        stores = Stores(database, Worker("bench"), ManualClock(NOON))
        what = f"of {SERVICES * BUILDS * WEEKS:,} builds and {SERVICES * BUILDS * WEEKS * PLACES:,} runs, {engine}"
        aim = f"at most {AIM_SIZE // 1_000_000} MB"
        rows = [Measured(f"two years {what}, {sets:,} sets", f"{size / 1e6:.0f} MB", aim, size <= AIM_SIZE)]
        week = timedelta(days=7)
        for told, cve, asked in (
            ("now", "CVE-2026-1", Asked(NOON)),
            ("a year ago", "CVE-2026-1", Asked(NOON - 52 * week)),
            ("in ten weeks of a year ago", "CVE-2026-1", Asked(NOON - 42 * week, NOON - 52 * week)),
            ("a year ago, in an application", "CVE-2026-2", Asked(NOON - 52 * week)),
        ):
            seconds = await _took(stores[ExposureStore], cve, asked)
            aim = f"at most {AIM_SECONDS * 1000:.0f} ms"
            figure = f"{seconds * 1000:.0f} ms (median)"
            rows.append(Measured(f"where a CVE ran {told}, {what}", figure, aim, seconds <= AIM_SECONDS))
        before = await _size(database)
        await _as_rows(database)
        weekly = (await _size(database) - before) / AS_ROWS
    finally:
        await database.close()
    as_rows = f"{weekly * WEEKS / 1e9:.1f} GB, by {AS_ROWS} weeks"
    return [*rows, Measured(f"the packages {what}, as a row for each in each build", as_rows)]


async def _took(store: ExposureStore, cve: str, asked: Asked) -> float:
    took = []
    for _ in range(ASKED):
        begun = time.perf_counter()
        answer = await store.exposure(cve, asked, Narrowed())
        took.append(time.perf_counter() - begun)
        assert answer.is_told
        assert len(answer.places) == SERVICES * PLACES
    return statistics.median(took)


async def _size(database: Database) -> int:
    async with database.reading() as connection:
        if connection.dialect.name == "postgresql":
            return int(await connection.scalar(text("SELECT pg_database_size(current_database())")) or 0)
        pages = await connection.scalar(text("SELECT page_count FROM pragma_page_count()"))
        free = await connection.scalar(text("SELECT freelist_count FROM pragma_freelist_count()"))
        return (int(pages or 0) - int(free or 0)) * 4096


class _Fleet:
    """What each service holds in each week, by the ids of packages."""

    def __init__(self) -> None:
        self._random = random.Random(30)
        self.packages: list[dict[str, Any]] = []
        self.bases = [
            [self._package("deb", f"lib{base}-{n}") for n in range(of)] for base, of in enumerate(OF_BASES)
        ]
        self._nuget: dict[tuple[int, int], int] = {}
        self.services = [dict.fromkeys(self._random.sample(range(NUGET_NAMES), NUGET), 0) for _ in range(SERVICES)]
        self.newest = [0] * NUGET_NAMES

    def _package(self, kind: str, name: str, version: int = 0) -> int:
        number = len(self.packages) + 1
        version_text = f"1.{version}.0"
        source = {"source": name, "source_version": version_text} if kind == "deb" else {}
        self.packages.append(
            {"id": number, "key": f"{number:064x}", "type": kind, "name": name, "version": version_text}
            | {"architecture": "amd64" if kind == "deb" else None, "source": None, "source_version": None}
            | source
        )
        return number

    def _of(self, name: int, version: int) -> int:
        if (name, version) not in self._nuget:
            self._nuget[name, version] = self._package("nuget", f"Package{name}", version)
        return self._nuget[name, version]

    def weeks(self) -> Iterator[list[tuple[frozenset[int], frozenset[int]]]]:
        """Of each week the builds of all services, first the first ones."""
        for week in range(WEEKS):
            if week % 2 == 0:
                for base, held in enumerate(self.bases):
                    for place in self._random.sample(range(len(held)), 5):
                        held[place] = self._package("deb", f"lib{base}-{place}", week + 1)
            for name in self._random.sample(range(NUGET_NAMES), NUGET_NAMES // 8):
                self.newest[name] += 1
            builds = []
            for build in range(BUILDS):
                for number, brought in enumerate(self.services):
                    if self._random.random() < (0.5 if build == 0 else 0.1):
                        for name in self._random.sample(sorted(brought), 2):
                            brought[name] = self.newest[name]
                    below = self.bases[0 if number % 10 < 7 else 1 if number % 10 < 9 else 2]
                    builds.append((frozenset(below), frozenset(self._of(*each) for each in brought.items())))
            yield builds


async def _fill(database: Database) -> int:
    began = NOON - WEEKS * timedelta(days=7)
    source = {"id": 1, "name": "europe", "stale_after": 1800, "due_at": NOON, "told_at": NOON}
    await write_rows(database, running_sources, [source])
    await write_rows(database, running_looks, [{"source_id": 1, "since": began, "until": NOON}])
    where = {"namespace": "shop", "kind": "Deployment", "container": "web", "source_id": 1}
    places = [{"id": each + 1, "workload": f"web-{each}", **where} for each in range(SERVICES * PLACES)]
    await write_rows(database, running_places, places)
    fleet, build, written = _Fleet(), 0, 0
    for week, builds in enumerate(fleet.weeks()):
        await write_rows(database, packages, fleet.packages[written:])
        written = len(fleet.packages)
        at = began + week * timedelta(days=7)
        numbers = range(build + 1, build + 1 + len(builds))
        rows = [{"id": number, "digest": _digest(2 * number), "seen_at": at} for number in numbers]
        await write_rows(database, running_builds, rows)
        contents = [
            PastContent(
                *(number, "index", "linux/amd64", DISTRIBUTION, True, True, None),
                *((_digest(2 * number + 1), _digest(-number)), system, others),
            )
            for number, (system, others) in zip(numbers, builds, strict=True)
        ]
        async with database.transaction() as connection:
            await keep_past(connection, contents)
        await write_rows(database, runs, list(_runs_of(numbers, week, at)))
        build += len(builds)
    store = Stores(database, Worker("bench"), ManualClock(NOON))[RunningStore]
    while await store.pack_ended(NOON - timedelta(days=1)):
        pass
    async with database.reading() as connection:
        return int(await connection.scalar(text("SELECT count(*) FROM package_sets")) or 0)


def _runs_of(numbers: range, week: int, at: datetime) -> Iterator[dict[str, Any]]:
    for number in numbers:
        order, service = divmod(number - numbers.start, SERVICES)
        since = at + order * timedelta(days=3, hours=12)
        until = since + timedelta(days=3, hours=12)
        is_last = until >= NOON
        for place in range(PLACES):
            yield {
                "place_id": service * PLACES + place + 1,
                "build_id": number,
                "image": f"registry.contoso.example/team-{service % 50}/service-{service}:2026.{week}.{order}",
                "since": since,
                "is_older": False,
                "seen_at": NOON if is_last else until,
                "until": None if is_last else until,
                "pods": 3,
            }


async def _as_rows(database: Database) -> None:
    fleet = _Fleet()
    for week, builds in zip(range(AS_ROWS), fleet.weeks(), strict=False):
        begin = week * len(builds) + 1
        held, links = [], []
        for number, sets in enumerate(builds, begin):
            row = {"id": number, "digest": _digest(-2 * number), "config_digest": _digest(number), "seen_at": NOON}
            held.append(
                {**row, "platform": "linux/amd64", "read_at": NOON, "due_at": NOON, "is_complete": True}
                | {"distribution": DISTRIBUTION, "problems": []}
            )
            links += [
                {"inventory_id": number, "package_id": each, "since": NOON} for each in sorted(sets[0] | sets[1])
            ]
        await write_rows(database, inventories, held)
        contents = [{"build_id": each["id"], "inventory_id": each["id"], "kind": "index"} for each in held]
        await write_rows(database, running_contents, contents)
        await write_rows(database, inventory_packages, links)


async def _tell(database: Database) -> None:
    """Ubuntu's dump tells of one package of the base of most, and NuGet's of one that some applications bring."""
    store = Stores(database, Worker("bench"), ManualClock(NOON))[VulnerabilitiesStore]
    told = {
        DumpSource(CvePublication.UBUNTU, "/srv/ubuntu.zip"): ("deb", "lib0-7", "Ubuntu:24.04"),
        DumpSource(CvePublication.NUGET, "/srv/nuget.zip"): ("nuget", "Package7", ""),
    }
    await store.follow_dumps(list(told))
    await store.dumps.claim(NOON, len(told))
    published = NOON - (WEEKS - 1) * timedelta(days=7)
    for number, (source, (kind, name, release)) in enumerate(told.items(), 1):
        cve = f"CVE-2026-{number}"
        affected = AffectedPackage(kind, name, release, (VersionRange(fixed="1.90.0"),))
        record = Vulnerability(f"X-{cve}", (cve,), "overflow", published_at=published, affected=(affected,))
        wanted = WantedPackages(frozenset({release}), frozenset({name, name.lower()}))
        await store.keep_dump(KeptDump(source, DumpMark("1"), wanted, DumpReading((record,))), NOON)


def _digest(number: int) -> str:
    return f"sha256:{random.Random(number).getrandbits(256):064x}"
