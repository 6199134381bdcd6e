"""Reports of scanners and the images that they are about, and runs whose artifacts were read for them."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, ForeignKey, LargeBinary, Table, UniqueConstraint, delete
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.rows.forgetting import UNREFERRED_FOR, forgets
from bot.store.rows.inventories.inventories import undone_columns
from bot.store.rows.schema import (
    DueTable,
    LongText,
    Moment,
    ShortText,
    falls_due,
    key_column,
    locked_after,
    metadata,
)

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


scan_reports = Table(
    "scan_reports",
    metadata,
    key_column(),
    Column("document", ShortText(160), nullable=False, index=True),
    Column("origin", ShortText(40), nullable=False),
    Column("scanner", ShortText(60), nullable=False, server_default="Trivy"),
    Column("place", ShortText(1024), nullable=False),
    Column("repository_id", ForeignKey("repositories.id", ondelete="CASCADE"), index=True),
    Column("scanned_at", Moment),
    Column("kept_at", Moment, nullable=False, index=True),
    Column("report", LargeBinary, nullable=False),
)
"""`document` is the digest of its bytes, `report` what was read of them, compressed."""

scan_report_digests = Table(
    "scan_report_digests",
    metadata,
    Column("report_id", ForeignKey("scan_reports.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("digest", ShortText(160), primary_key=True, index=True),
)
