"""Messages to maintainers: due from the transaction that causes them until the channel has the newest text."""

from datetime import datetime

from sqlalchemy import case, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.engine.inserting import insert_into
from bot.store.rows.tables import outbox

KNOWN_BEFORE = "known before"
"""What stands in place of a sent text where people may have been told by the bot before its store was lost."""


async def mark_known_before(connection: AsyncConnection, key: str) -> None:
    """Marks an announced message as one that channels may have already: it is looked for, and not sent anew."""
    await connection.execute(
        update(outbox).where(outbox.c.key == key, outbox.c.sent.is_(None)).values(sent=KNOWN_BEFORE)
    )


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
