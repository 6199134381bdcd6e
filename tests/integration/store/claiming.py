"""`python -m tests.integration.store.claiming URL NAME NOW`: a worker that takes rows until none is due.

It imports what a worker needs and no other part of the tests: three are started at once.
"""

import asyncio
import sys
from datetime import datetime, timedelta

from bot.store.engine.database import open_database
from bot.store.engine.queue.claiming import Worker, claim, settle
from bot.store.rows.tables import tasks


async def main(url: str, name: str, now: str) -> None:
    """Prints the ids that it got; each is settled in a transaction of its own, as the stages do."""
    database = await open_database(url)
    worker, noon = Worker(name), datetime.fromisoformat(now)
    while True:
        async with database.transaction() as connection:
            rows = await claim(connection, tasks, worker, noon, limit=3)
        if not rows:
            break
        for row in rows:
            print(row["id"], flush=True)
            async with database.transaction() as connection:
                await settle(connection, tasks, worker, row["id"], due_at=noon + timedelta(days=1))
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
