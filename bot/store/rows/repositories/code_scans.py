"""What code scanning has of each repository's findings, where they are wished for there."""

from datetime import datetime

from sqlalchemy import Column, ForeignKey, String, Text, delete
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.engine.inserting import insert_into
from bot.store.rows.tables import leased

code_scans = leased(
    "code_scans",
    Column("repository_id", ForeignKey("repositories.id", ondelete="CASCADE"), nullable=False, unique=True),
    Column("uploaded", String(32)),
    Column("refused", Text),
    Column("error", Text),
)
"""`uploaded` stands for the log that was uploaded last, `refused` says why the forge takes none."""


async def want_scan(connection: AsyncConnection, repository: int, now: datetime) -> None:
    """Has the findings looked at now: they were made anew."""
    made = insert_into(connection, code_scans).values(repository_id=repository, due_at=now)
    again = {"due_at": now, "attempts": 0}
    await connection.execute(made.on_conflict_do_update(index_elements=["repository_id"], set_=again))


async def forget_scan(connection: AsyncConnection, repository: int) -> None:
    """Nobody wishes for the findings in code scanning any more."""
    await connection.execute(delete(code_scans).where(code_scans.c.repository_id == repository))
