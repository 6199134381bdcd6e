"""Messages to maintainers: due from the transaction that causes them until the channel has the newest text."""

from datetime import datetime
from typing import Any

from sqlalchemy import case
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.clock import Clock
from bot.report.ports import DueMessage
from bot.store.engine.database import Database
from bot.store.engine.inserting import insert_into
from bot.store.engine.queue import Worker, claim, settle
from bot.store.rows.tables import outbox


async def announce(connection: AsyncConnection, key: str, now: datetime) -> None:
    """Marks the message for `key` as due, within the caller's transaction.

    Only the key is stored: the text is made when it is sent, so a late message tells the present state. One that
    rests after a failed attempt goes on resting, as the channel may have asked for.
    """
    statement = insert_into(connection, outbox).values(key=key, wanted=1, told=0, due_at=now, created_at=now)
    due_at = case((outbox.c.attempts > 0, outbox.c.due_at), else_=now)
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["key"], set_={"wanted": outbox.c.wanted + 1, "due_at": due_at}
        )
    )


class OutboxStore:
    def __init__(self, database: Database, worker: Worker, clock: Clock) -> None:
        self._database = database
        self._worker = worker
        self._clock = clock

    async def claim_messages(self, limit: int) -> list[DueMessage]:
        async with self._database.transaction() as connection:
            rows = await claim(
                connection,
                outbox,
                self._worker,
                self._clock.now(),
                limit=limit,
                where=[outbox.c.wanted > outbox.c.told],
            )
        return [
            DueMessage(
                row["id"], row["key"], row["wanted"], row["sent"], row["remote"], row["attempts"], row["created_at"]
            )
            for row in rows
        ]

    async def message_sent(self, message: DueMessage, fingerprint: str, remote: dict[str, Any] | None) -> None:
        """What was announced while the message was on its way stays due."""
        async with self._database.transaction() as connection:
            await settle(
                connection,
                outbox,
                self._worker,
                message.id,
                due_at=self._clock.now(),
                values={"told": message.wanted, "sent": fingerprint, "remote": remote, "error": None},
            )

    async def message_failed(self, message: DueMessage, error: str, due: datetime) -> None:
        async with self._database.transaction() as connection:
            await settle(
                connection,
                outbox,
                self._worker,
                message.id,
                due_at=due,
                succeeded=False,
                values={"error": error},
            )
