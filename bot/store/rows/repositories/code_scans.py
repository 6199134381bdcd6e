"""What code scanning has of each repository's findings, where they are wished for there."""

from datetime import datetime, timedelta

from sqlalchemy import Column, ForeignKey, and_, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.engine.inserting import insert_into
from bot.store.rows.repositories.audits import audits
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.rollouts.rollouts import ALL_PAUSED
from bot.store.rows.schema import DueTable, falls_due, leased, locked_after
from bot.store.rows.texts import LongText, ShortText

code_scans = leased(
    "code_scans",
    Column("repository_id", ForeignKey("repositories.id", ondelete="CASCADE"), nullable=False, unique=True),
    Column("uploaded", ShortText(32)),
    Column("upload", ShortText(128)),
    Column("refused", LongText),
    Column("error", LongText),
)
"""`uploaded` stands for the log that was uploaded last, `upload` is the forge's name of that upload until it was
taken in, `refused` says why the forge takes none."""
locked_after(code_scans, "onboardings", "practice_weeks")

_JUDGED = (
    select(audits.c.repository_id)
    .join(repositories, repositories.c.id == audits.c.repository_id)
    .where(audits.c.findings.is_not(None), repositories.c.listed.is_(True))
)
IS_SCANNED = and_(code_scans.c.repository_id.in_(_JUDGED), ~ALL_PAUSED)
"""Its repository is one of the fleet that was judged, and the bot is not paused as a whole."""
falls_due(code_scans, DueTable("code-scans", (IS_SCANNED,), furthest=timedelta(days=30)))


async def want_scan(connection: AsyncConnection, repository: int, now: datetime) -> None:
    """Has the findings of a repository sent to code scanning now, since they were made anew."""
    insertion = insert_into(connection, code_scans).values(repository_id=repository, due_at=now)
    due_columns = {"due_at": now, "attempts": 0}
    await connection.execute(insertion.on_conflict_do_update(index_elements=["repository_id"], set_=due_columns))


async def forget_scan(connection: AsyncConnection, repository: int) -> None:
    """Deletes the row of a repository whose findings nobody wishes to have in code scanning any more."""
    await connection.execute(delete(code_scans).where(code_scans.c.repository_id == repository))
