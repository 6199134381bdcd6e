"""Rebuilds whose runs have ended, as far as their artifacts were read for reports of scanners. Their table."""

from sqlalchemy import Column, ForeignKey, String, Table, Text

from bot.store.rows.inventories.inventories import undone_columns
from bot.store.rows.moment import Moment
from bot.store.rows.schema import key_column, metadata

artifact_reads = Table(
    "artifact_reads",
    metadata,
    key_column(),
    Column("rebuild_id", ForeignKey("rebuilds.id", ondelete="CASCADE"), nullable=False, unique=True),
    Column("refused", String(200)),
    Column("problems", Text),
    Column("read_at", Moment),
    Column("error", Text),
    *undone_columns("artifact_reads", "read_at"),
)
"""`refused` says why the forge shows none, `problems` what of them could not be read, a line each."""
