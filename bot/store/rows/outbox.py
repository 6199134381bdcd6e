"""Messages to maintainers: due from the transaction that causes them until the channel has the newest text."""

from datetime import datetime

from sqlalchemy import case
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.engine.inserting import insert_into
from bot.store.rows.tables import outbox


async def announce(connection: AsyncConnection, key: str, now: datetime, destination: str = "") -> None:
    """Marks the message for `key` as due, within the caller's transaction; without a destination, for whom it
    concerns.

    Only the key is stored: the text is made when it is sent, so a late message tells the present state. One that
    rests, since a failed attempt or since it was sent a moment ago, goes on resting.
    """
    statement = insert_into(connection, outbox).values(
        key=key, destination=destination, wanted=1, told=0, due_at=now, created_at=now
    )
    due_at = case(
        (outbox.c.attempts > 0, outbox.c.due_at), (outbox.c.rests_until > now, outbox.c.rests_until), else_=now
    )
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["key", "destination"], set_={"wanted": outbox.c.wanted + 1, "due_at": due_at}
        )
    )
