"""How fast the ledger tells where fixes are stuck, of 1,000 and 10,000 images, on both databases."""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

from sqlalchemy import update

from bot.domain.clock import ManualClock
from bot.domain.feeds.advisory import Severity
from bot.domain.packages.cves.publication import CvePublication, DumpMark
from bot.domain.packages.cves.vulnerability import AffectedPackage, VersionRange, Vulnerability
from bot.fleet.watch.vulnerabilities.rows.vulnerabilities import VulnerabilitiesStore
from bot.fleet.watch.vulnerabilities.tick import KeptDump
from bot.fleet.wiring.collecting import collected_seldom
from bot.store.engine.database import Database, open_database
from bot.store.engine.queue.claiming import Worker
from bot.store.pages.ledger.ledger import LedgerStore
from bot.store.rows.inventories.inventories import inventories
from bot.store.stores import Stores
from bot.upstream.osv.addresses import DumpSource
from bot.upstream.osv.dump import DumpReading
from bot.upstream.osv.record import WantedPackages
from bot.views.paging import Cut
from sandbox.programs.postgres import PostgresServer
from tests.bench.bench_inventory import NOON, OF_BASE, fill
from tests.bench.measured import Measured

OPEN = 200
"""CVEs. Of two thirds there is no fix, so that every image has it; of the others every twentieth image has an old
version."""
FLEETS = (1_000, 10_000)
ASKED = 5
AIM_ONE = 0.5, 1.5
AIM_FLEET = 1.0, 4.0


def run() -> list[Measured]:
    with collected_seldom():
        return asyncio.run(_run())


async def _run() -> list[Measured]:
    rows: list[Measured] = []
    async with PostgresServer() as server:
        for place, number in enumerate(FLEETS):
            with tempfile.TemporaryDirectory() as folder:
                rows += await _measured("SQLite", f"sqlite:///{Path(folder)}/store.db", number, place)
            rows += await _measured("PostgreSQL", server.create_database(), number, place)
    return rows


async def _measured(engine: str, url: str, number: int, place: int) -> list[Measured]:
    database = await open_database(url)
    try:
        await fill(database, number)
        await tell(database)
        clock = ManualClock(NOON)
        ledger = Stores(database, Worker("bench"), clock)[LedgerStore]
        one = await _took(lambda: ledger.cve("CVE-2026-1002", Cut()), clock)
        fleet = await _took(lambda: ledger.cves(Cut()), clock)
    finally:
        await database.close()
    what = f"where the fix of one CVE is stuck, which all of {number} images have, {engine}"
    listed = f"where {OPEN} CVEs are stuck, {number} images of 200 packages, {engine}"
    return [
        _row(what, one, AIM_ONE[place]),
        _row(listed, fleet, AIM_FLEET[place]),
    ]


def _row(what: str, seconds: float, aim: float) -> Measured:
    return Measured(what, f"{seconds * 1000:.0f} ms (median)", f"under {aim * 1000:.0f} ms", seconds < aim)


async def _took(ask: Callable[[], Awaitable[object]], clock: ManualClock) -> float:
    """Seconds, of those who ask when what was worked out before does not hold any more."""
    took = []
    for _ in range(ASKED):
        clock.advance(timedelta(hours=1))
        begun = time.perf_counter()
        await ask()
        took.append(time.perf_counter() - begun)
    return statistics.median(took)


async def tell(database: Database) -> None:
    """Ubuntu's dump tells of `OPEN` CVEs, and all images are of the release that it is about."""
    async with database.transaction() as connection:
        await connection.execute(update(inventories).values(distribution={"id": "ubuntu", "version": "24.04"}))
    stores = Stores(database, Worker("bench"), ManualClock(NOON))[VulnerabilitiesStore]
    source = DumpSource(CvePublication.UBUNTU, "/srv/ubuntu.zip")
    await stores.follow_dumps([source])
    await stores.dumps.claim(NOON, 1)
    found = tuple(_vulnerability(number) for number in range(OPEN))
    wanted = WantedPackages(frozenset({"Ubuntu:24.04"}))
    await stores.keep_dump(KeptDump(source, DumpMark("1"), wanted, DumpReading(found)), NOON)


def _vulnerability(number: int) -> Vulnerability:
    name = "openssl" if number == 0 else f"lib{(number - 1) % (OF_BASE - 1) + 1}"
    fixed = "" if number % 3 else "3.0.13-0ubuntu3.3"
    affected = AffectedPackage("deb", name, "Ubuntu:24.04", (VersionRange(fixed=fixed),))
    cve = f"CVE-2026-{1001 + number}"
    return Vulnerability(f"UBUNTU-{cve}", (cve,), "overflow", Severity.HIGH, "Ubuntu", affected=(affected,))
