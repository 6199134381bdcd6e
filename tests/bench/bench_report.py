"""How fast it is summed up how long what runs was exposed: 3,000 images that run, each with 200 CVEs.

The fleet is synthetic: each image runs in one place, stands on one of 60 bases, and took the place of another build
a month ago. Ubuntu has a fix of two thirds of the CVEs, which no base has.
"""

import asyncio
import statistics
import time
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from bot.domain.clock import ManualClock
from bot.domain.feeds.advisory import Severity
from bot.domain.packages.cves.publication import CvePublication, DumpMark
from bot.domain.packages.cves.vulnerability import AffectedPackage, VersionRange, Vulnerability
from bot.fleet.watch.vulnerabilities.rows.vulnerabilities import VulnerabilitiesStore
from bot.fleet.watch.vulnerabilities.tick import KeptDump
from bot.fleet.wiring.collecting import collected_seldom
from bot.store.engine.database import Database, open_database
from bot.store.engine.queue.claiming import Worker
from bot.store.pages.running.report import ExposureReportStore
from bot.store.rows.inventories.inventories import image_inventories, inventories
from bot.store.rows.running.running import (
    running_builds,
    running_contents,
    running_looks,
    running_places,
    running_sources,
    runs,
)
from bot.store.stores import StoreOptions, Stores
from bot.upstream.osv.addresses import DumpSource
from bot.upstream.osv.dump import DumpReading
from bot.upstream.osv.record import WantedPackages
from tests.bench.bench_inventory import NOON, OF_BASE, fill
from tests.bench.engines import on_both, write_rows
from tests.bench.measured import Measured

IMAGES, CVES = 3_000, 200
DAY = timedelta(days=1)
ASKED = 3
PROMISED = dict.fromkeys(Severity, 14 * DAY)


def run() -> list[Measured]:
    with collected_seldom():
        return asyncio.run(on_both(_measured))


async def _measured(engine: str, url: str) -> list[Measured]:
    database = await open_database(url)
    try:
        await fill(database, IMAGES)
        await tell(database)
        await fill_runs(database)
        took = []
        for _ in range(ASKED):
            options = StoreOptions(fix_within=lambda _: PROMISED)
            stores = Stores(database, Worker("bench"), ManualClock(NOON), options)
            begun = time.perf_counter()
            report = await stores[ExposureReportStore].report()
            took.append(time.perf_counter() - begun)
            assert report.sums.places == IMAGES
            assert max(each.cves for each in report.sums.rows) >= CVES // 3
    finally:
        await database.close()
    what = f"how long {IMAGES:,} images that run were exposed to {CVES} CVEs each, {engine}"
    return [Measured(what, f"{statistics.median(took):.1f} s (median)")]


async def tell(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(update(inventories).values(distribution={"id": "ubuntu", "version": "24.04"}))
    store = Stores(database, Worker("bench"), ManualClock(NOON))[VulnerabilitiesStore]
    source = DumpSource(CvePublication.UBUNTU, "/srv/ubuntu.zip")
    await store.follow_dumps([source])
    await store.dumps.claim(NOON, 1)
    wanted = WantedPackages(frozenset({"Ubuntu:24.04"}))
    records = tuple(_vulnerability(number) for number in range(CVES))
    await store.keep_dump(KeptDump(source, DumpMark("1"), wanted, DumpReading(records)), NOON)


def _vulnerability(number: int) -> Vulnerability:
    versions = VersionRange(fixed="3.0.14" if number % 3 else "")
    affected = AffectedPackage("deb", f"lib{number % (OF_BASE - 1) + 1}", "Ubuntu:24.04", (versions,))
    published, severity = NOON - number % 60 * DAY, list(Severity)[number % 4]
    cve = f"CVE-2026-{1001 + number}"
    return Vulnerability(
        f"U-{cve}", (cve,), "overflow", severity, "Ubuntu", published_at=published, affected=(affected,)
    )


async def fill_runs(database: Database) -> None:
    began, moved = NOON - 100 * DAY, NOON - 30 * DAY
    async with database.reading() as connection:
        held = list(await connection.scalars(select(image_inventories.c.inventory_id).order_by("image_id")))
    source = {"id": 1, "name": "europe", "stale_after": 1800, "due_at": NOON, "told_at": NOON}
    await write_rows(database, running_sources, [source])
    await write_rows(database, running_looks, [{"source_id": 1, "since": began, "until": NOON}])
    where = {"namespace": "shop", "kind": "Deployment", "container": "web", "source_id": 1}
    numbers = range(1, len(held) + 1)
    await write_rows(
        database, running_places, [{"id": each, "workload": f"web-{each}", **where} for each in numbers]
    )
    builds = [{"id": each, "digest": f"sha256:{each:064x}", "seen_at": NOON} for each in numbers]
    await write_rows(database, running_builds, builds)
    contents = [
        {"build_id": build, "inventory_id": inventory, "kind": "index"}
        for build, inventory in zip(numbers, held, strict=True)
    ]
    await write_rows(database, running_contents, contents)
    for since, until in ((began, moved), (moved, None)):
        await write_rows(database, runs, [_ran(each, since, until, len(held)) for each in numbers])


def _ran(number: int, since: Any, until: Any, of: int) -> dict[str, Any]:
    build = number if until is None else number * 7 % of + 1
    image = f"ghcr.example/contoso/i-{number - 1}:latest"
    times = {"since": since, "is_older": False, "seen_at": until or NOON, "until": until}
    return {"place_id": number, "build_id": build, "image": image, "pods": 1, **times}
