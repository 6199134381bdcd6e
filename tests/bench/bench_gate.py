"""How fast the gate judges a fleet anew, as when its data or settings change, and the one image of a rebuild."""

import asyncio
import statistics
import tempfile
import time
from pathlib import Path

from sqlalchemy import func, select, update

from bot.domain.clock import ManualClock
from bot.domain.packages.gate import GateRule, MatchedRule
from bot.fleet.verify.gating.judging import judge_images
from bot.fleet.verify.gating.ports import GateOptions
from bot.fleet.verify.gating.rows import GatingStore
from bot.fleet.verify.gating.tick import tick
from bot.reconcile.loop import Loop
from bot.store.engine.database import Database, open_database
from bot.store.engine.queue.claiming import Worker
from bot.store.rows.images.gates import gates
from bot.store.rows.images.images import images
from bot.store.rows.inventories.inventories import inventories
from bot.store.stores import Stores
from bot.store.views.images import ImageViewsStore
from tests.bench.bench_inventory import NOON, fill
from tests.bench.bench_ledger import OPEN, tell
from tests.bench.measured import Measured

IMAGES = 1_000
ASKED = 5
AIM_FLEET = 20.0
AIM_ONE = 0.1
OPTIONS = GateOptions((MatchedRule(("*",), GateRule()),), platforms=frozenset({"linux/amd64"}), mark="bench")


def run() -> list[Measured]:
    with tempfile.TemporaryDirectory() as folder:
        fleet, one = asyncio.run(_run(f"sqlite:///{Path(folder)}/store.db"))
    return [
        Measured(
            f"the gate judges {IMAGES} images of 200 packages, {OPEN} CVEs",
            f"{fleet:.1f} s",
            f"under {AIM_FLEET:.0f} s",
            fleet < AIM_FLEET,
        ),
        Measured(
            "the gate judges the image of one rebuild",
            f"{one * 1000:.0f} ms (median)",
            f"under {AIM_ONE * 1000:.0f} ms",
            one < AIM_ONE,
        ),
    ]


async def _run(url: str) -> tuple[float, float]:
    database = await open_database(url)
    try:
        await fill(database, IMAGES)
        return await _measured(database)
    finally:
        await database.close()


async def _measured(database: Database) -> tuple[float, float]:
    await tell(database)
    clock = ManualClock(NOON)
    stores = Stores(database, Worker("bench"), clock)
    async with database.transaction() as connection:
        await connection.execute(update(images).values(digest=func.coalesce(images.c.digest, "sha256:seen")))
        await connection.execute(update(inventories).values(problems=[], is_complete=True))
    begun = time.perf_counter()
    await tick(stores[GatingStore], OPTIONS, Loop(clock))
    fleet = time.perf_counter() - begun
    async with database.reading() as connection:
        judged = await connection.scalar(select(func.count()).where(gates.c.outcome.is_not(None)))
    assert judged == IMAGES, judged
    image = (await stores[ImageViewsStore].views())[0].image
    took = []
    for _ in range(ASKED):
        begun = time.perf_counter()
        await judge_images(stores[GatingStore], [image], OPTIONS, NOON, adopts=False)
        took.append(time.perf_counter() - begun)
    return fleet, statistics.median(took)
