"""How far the past of a source was read from what others have kept of it: its table."""

from sqlalchemy import Column, ForeignKey

from bot.store.rows.running.running import running_sources
from bot.store.rows.schema import DueTable, LongText, Moment, falls_due, leased, locked_after

running_backfills = leased(
    "running_backfills",
    Column("source_id", ForeignKey(f"{running_sources.name}.id", ondelete="CASCADE"), nullable=False, unique=True),
    Column("first_at", Moment, nullable=False),
    Column("read_to", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("error", LongText),
)
"""The source told first at `first_at` by itself; what ran until `read_to` has been asked for, and nothing more is
asked once it has `ended_at`."""
falls_due(running_backfills, DueTable())
"""Those of which settings name no past any more are not worked on: no figure tells of them."""
locked_after(running_backfills, "runs")
