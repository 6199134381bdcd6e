"""What is kept no longer goes: of each table what stands beside it (`bot/store/rows/forgetting.py`)."""

from datetime import timedelta

from bot.store.engine.queue.claiming import claim, settle
from bot.store.engine.store import Store
from bot.store.engine.writing import insert_missing
from bot.store.rows.forgetting import every_forgetting
from bot.store.rows.tables import tasks

_TASK = "forget what is kept no longer"
_EVERY = timedelta(days=1)


class RetentionStore(Store):
    """Forgets once a day what is older than it is kept."""

    async def claim_forgetting(self) -> int | None:
        """The daily task where it is due, so that one replica does it."""
        now = self._clock.now()
        async with self._database.transaction() as connection:
            await connection.execute(insert_missing(connection, tasks, name=_TASK, due_at=now))
            rows = await claim(connection, tasks, self._worker, now, limit=1, where=[tasks.c.name == _TASK])
        return rows[0]["id"] if rows else None

    async def forget(self, task: int, retention: timedelta) -> dict[str, int]:
        """Ends the task with everything forgotten, or, where the lease is lost, with nothing; how many rows went.

        `retention` is how long the operator has rebuilds kept.
        """
        now = self._clock.now()
        gone: dict[str, int] = {}
        async with self._database.transaction() as connection:
            await settle(connection, tasks, self._worker, task, due_at=now + _EVERY)
            for forgetting in every_forgetting():
                gone |= await forgetting.forget(connection, forgetting.before(now, retention))
        return gone
