"""What it costs to look at 1,000 images that have not moved: one HEAD request each, and nothing else."""

import asyncio
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from sqlalchemy import insert

from bot.domain.clock import ManualClock
from bot.domain.reference import Base
from bot.fleet.verify.images.judging import Observed
from bot.fleet.verify.images.rows.images import ImagesStore
from bot.fleet.verify.images.tick import ImagesOptions, tick
from bot.reconcile.loop import Loop
from bot.store.engine.database import open_database
from bot.store.engine.queue.claiming import Worker
from bot.store.rows.images.images import images
from bot.store.rows.repositories.tables import repositories
from tests.bench.measured import Measured
from tests.fakes.registry import FakeRegistry

IMAGES = 1_000
NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


def run() -> list[Measured]:
    with tempfile.TemporaryDirectory() as folder:
        asked, seconds = asyncio.run(_looked(Path(folder)))
    told = ", ".join(f"{count:,} {what}" for what, count in sorted(asked.items()))
    what, figure = f"looking at {IMAGES:,} unmoved images", f"{told} requests, {seconds:.1f} s"
    return [Measured(what, figure, "one HEAD each", sum(asked.values()) == asked.get("head") == IMAGES)]


async def _looked(folder: Path) -> tuple[dict[str, int], float]:
    clock, registry = ManualClock(NOON), FakeRegistry()
    database = await open_database(f"sqlite:///{folder}/store.db")
    names = [f"contoso/shop-{number}" for number in range(IMAGES)]
    digests = {name: registry.push(Base("ghcr.io", name, "latest"), content=name) for name in names}
    plain = {"default_branch": "main", "listed": True, "config": {}, "workflows": [], "problems": []}
    async with database.transaction() as connection:
        homes = [
            {"id": number, "name": name, "due_at": NOON, **plain} for number, name in enumerate(names, start=1)
        ]
        await connection.execute(insert(repositories), homes)
        known = {"registry": "ghcr.io", "tag": "latest", "source": "build", "path": "", "line": 0, "due_at": NOON}
        rows = [
            {"repository_id": home["id"], "repository": home["name"], "found": "latest", **known}
            | {"digest": digests[str(home["name"])]}
            for home in homes
        ]
        await connection.execute(insert(images), rows)
    store = ImagesStore(database, Worker("bench"), clock)
    start = time.perf_counter()
    await tick(store, cast(Any, registry), Observed(), ImagesOptions(timedelta(days=1)), Loop(clock))
    seconds = time.perf_counter() - start
    await database.close()
    return dict(registry.asked), seconds
