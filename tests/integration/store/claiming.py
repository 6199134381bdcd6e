"""`python -m tests.integration.store.claiming URL NAME`: a worker that takes rows until none is due."""

import asyncio
import sys
from datetime import timedelta

from bot.store.engine.database import open_database
from bot.store.engine.queue.claiming import Worker, claim, settle
from bot.store.rows.tables import tasks
from tests.integration.store.conftest import NOON


async def main(url: str, name: str) -> None:
    """Prints the ids that it got; each is settled in a transaction of its own, as the stages do."""
    database = await open_database(url)
    worker = Worker(name)
    while True:
        async with database.transaction() as connection:
            rows = await claim(connection, tasks, worker, NOON, limit=3)
        if not rows:
            break
        for row in rows:
            print(row["id"], flush=True)
            async with database.transaction() as connection:
                await settle(connection, tasks, worker, row["id"], due_at=NOON + timedelta(days=1))
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
