"""`python -m tests.integration.store.crossing URL up|down [unlocked]`: a replica that writes all images at once, in
one order of their ids or the other, once it has said `ready` and got a line; `unlocked` has it lock none first."""

import asyncio
import sys
from contextlib import suppress
from datetime import UTC, datetime

from sqlalchemy import select

from bot.domain.clock import ManualClock
from bot.fleet.verify.images.rows.images import ImagesStore
from bot.store.engine.database import open_database
from bot.store.engine.failures import BrokenOff
from bot.store.engine.queue.claiming import Worker
from bot.store.rows.images.images import images
from tests.integration.store.unlocked import lock_nothing, who_lock


async def main(url: str, direction: str, how: str = "") -> None:
    if how == "unlocked":
        for module in who_lock():
            module.lock = lock_nothing  # type: ignore[attr-defined]
    database = await open_database(url)
    store = ImagesStore(database, Worker(direction), ManualClock(datetime(2026, 3, 10, tzinfo=UTC)))
    async with database.reading() as connection:
        ids = sorted(await connection.scalars(select(images.c.id)), reverse=direction == "down")
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    with suppress(BrokenOff):  # which the database counts
        await store.save_standings(dict.fromkeys(ids, ()))
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
