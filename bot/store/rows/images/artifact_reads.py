"""Runs that have ended, as far as their artifacts were read for reports of scanners. Their table."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, ForeignKey, Table, UniqueConstraint, delete
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.rows.forgetting import UNREFERRED_FOR, forgets
from bot.store.rows.inventories.inventories import undone_columns
from bot.store.rows.moment import Moment
from bot.store.rows.schema import DueTable, falls_due, key_column, locked_after, metadata
from bot.store.rows.texts import LongText, ShortText

artifact_reads = Table(
    "artifact_reads",
    metadata,
    key_column(),
    Column("rebuild_id", ForeignKey("rebuilds.id", ondelete="CASCADE"), unique=True),
    Column("step_id", ForeignKey("steps.id", ondelete="CASCADE"), unique=True),
    Column("repository_id", ForeignKey("repositories.id", ondelete="CASCADE"), nullable=False),
    Column("run", BigInteger),
    Column("ended_at", Moment),
    Column("refused", ShortText(200)),
    Column("problems", LongText),
    Column("read_at", Moment),
    Column("error", LongText),
    *undone_columns("artifact_reads", "read_at"),
    UniqueConstraint("repository_id", "run"),
)
"""The runs of a rebuild, that of a step, or another of a repository, which is `run` and may end again: `ended_at`
is when it did last; of a step's runs it is when they were looked through before, as long as they are looked at
again. `repository_id` is whose images reports may be about; `refused` says why the forge shows none, `problems`
what of them could not be read, a line each."""
falls_due(artifact_reads, DueTable("artifacts", (artifact_reads.c.read_at.is_(None),), is_regular=True))
locked_after(artifact_reads, "code_scans")


@forgets(
    artifact_reads,
    "runs that have ended and were looked through, but for those that go with their rebuild",
    UNREFERRED_FOR,
)
async def forget_artifact_reads(connection: AsyncConnection, before: datetime) -> dict[str, int]:
    """Of rebuilds and their steps only those of steps that failed are told when, and go so; the rest goes with its
    rebuild."""
    past = artifact_reads.c.ended_at < before, artifact_reads.c.read_at < before
    await connection.execute(delete(artifact_reads).where(*past))
    return {}
