"""How fast it is told where a CVE runs: 5,000 places, and two years of what ran there, beside 5,000 images."""

import asyncio
import statistics
import time
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from bot.domain.clock import ManualClock
from bot.domain.running.exposure import Asked
from bot.domain.running.snapshot import RunningContainer, RunningPlace, Snapshot
from bot.fleet.running.rows import RunningStore
from bot.fleet.wiring.collecting import collected_seldom
from bot.store.engine.database import Database, open_database
from bot.store.engine.queue.claiming import Worker
from bot.store.pages.running.exposure import ExposureStore
from bot.store.rows.inventories.inventories import inventories
from bot.store.rows.running.running import (
    running_builds,
    running_contents,
    running_looks,
    running_places,
    running_sources,
    runs,
)
from bot.store.stores import Stores
from bot.views.running.exposed import Narrowed
from tests.bench.bench_inventory import NOON, fill
from tests.bench.bench_ledger import tell
from tests.bench.engines import on_both, write_rows
from tests.bench.measured import Measured

IMAGES = 5_000
PLACES = 5_000
RUNS = 100
"""Of each place: a build a week for two years, of which any may be any image's."""
WEEK = timedelta(days=7)
ASKED = 5
AIM = 0.200
AIM_TOLD = 4.0
FEW, ALL = "CVE-2026-1001", "CVE-2026-1003"
"""Every twentieth image has the first, of which there is a fix; all have the other."""


def run() -> list[Measured]:
    with collected_seldom():
        return asyncio.run(on_both(_measured))


async def _measured(engine: str, url: str) -> list[Measured]:
    database = await open_database(url)
    try:
        await fill(database, IMAGES)
        await tell(database)
        await fill_runs(database)
        clock = ManualClock(NOON)
        stores = Stores(database, Worker("bench"), clock)
        few, every = [await _took(stores[ExposureStore], cve) for cve in (FEW, ALL)]
        told = await _told(stores[RunningStore], clock)
    finally:
        await database.close()
    what = f"where a CVE runs, {PLACES} places, {PLACES * RUNS} runs, {engine}"
    return [
        _row(f"{what}; every twentieth has it", few, AIM),
        _row(f"{what}; all have it", every, AIM),
        _row(f"a list of {PLACES} places kept, {engine}", told, AIM_TOLD),
    ]


def _row(what: str, seconds: float, aim: float) -> Measured:
    return Measured(what, f"{seconds * 1000:.0f} ms (median)", f"under {aim * 1000:.0f} ms", seconds < aim)


async def _took(store: ExposureStore, cve: str) -> float:
    took = []
    for _ in range(ASKED):
        begun = time.perf_counter()
        answer = await store.exposure(cve, Asked(NOON), Narrowed())
        took.append(time.perf_counter() - begun)
        assert answer.exit_code == 1
    return statistics.median(took)


async def _told(store: RunningStore, clock: ManualClock) -> float:
    took = []
    for _ in range(ASKED):
        clock.advance(timedelta(minutes=5))
        snapshot = Snapshot(clock.now(), tuple(_container(number) for number in range(PLACES)))
        begun = time.perf_counter()
        await store.save_snapshot("europe", snapshot)
        took.append(time.perf_counter() - begun)
    return statistics.median(took)


def _container(number: int) -> RunningContainer:
    place = RunningPlace("shop", "Deployment", f"web-{number}", "web")
    return RunningContainer(place, "ghcr.io/contoso/shop:1", _digest(number), None, 0, 1)


def _digest(number: int) -> str:
    return f"sha256:{number:064x}"


async def fill_runs(database: Database) -> None:
    """Each place has run another build each week, and runs one now."""
    async with database.reading() as connection:
        held = list(await connection.scalars(select(inventories.c.id).order_by(inventories.c.id).limit(IMAGES)))
    began = NOON - RUNS * WEEK
    source = {"id": 1, "name": "europe", "stale_after": 1800, "due_at": NOON, "told_at": NOON}
    await write_rows(database, running_sources, [source])
    await write_rows(database, running_looks, [{"source_id": 1, "since": began, "until": NOON}])
    builds = range(1, len(held) + 1)
    await write_rows(database, running_places, [_place(number) for number in range(PLACES)])
    await write_rows(
        database, running_builds, [{"id": each, "digest": _digest(each - 1), "seen_at": began} for each in builds]
    )
    contents = [
        {"build_id": build, "inventory_id": number, "kind": "index"}
        for build, number in zip(builds, held, strict=True)
    ]
    await write_rows(database, running_contents, contents)
    for week in range(RUNS):
        since, is_last = began + week * WEEK, week == RUNS - 1
        until = None if is_last else since + WEEK
        rows = [
            {
                "place_id": number + 1,
                "build_id": (number if is_last else (number * 7 + week * 13) % len(held)) + 1,
                "image": "ghcr.io/contoso/shop:1",
                "since": since,
                "is_older": False,
                "seen_at": until or NOON,
                "until": until,
                "pods": 1,
            }
            for number in range(PLACES)
        ]
        await write_rows(database, runs, rows)


def _place(number: int) -> dict[str, Any]:
    where = {"namespace": "shop", "kind": "Deployment", "workload": f"web-{number}", "container": "web"}
    return {"id": number + 1, "source_id": 1, **where}
