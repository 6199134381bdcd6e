"""What people told the bot to do, as it was kept."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.rollouts.journal import Entry, Word
from bot.store.engine.readable import readable
from bot.store.rows.tables import journal


async def latest_entries(connection: AsyncConnection, most: int) -> list[Entry]:
    """Reads the latest of the journal, newest first."""
    rows = await connection.execute(select(journal).order_by(journal.c.id.desc()).limit(most))
    return readable(
        rows,
        lambda row: Entry(row.at, Word(row.who, row.reason, row.is_claimed), row.what, row.subject),
        lambda row: f"journal {row.id}",
    )
