"""Where forges are told what runs: an owner's records of one source, and what they say."""

from datetime import timedelta

from sqlalchemy import Column, ForeignKey, Table, UniqueConstraint

from bot.store.rows.rollouts.rollouts import ALL_PAUSED
from bot.store.rows.running.running import running_sources
from bot.store.rows.schema import (
    DueTable,
    LongText,
    Moment,
    ShortText,
    falls_due,
    key_column,
    leased,
    locked_after,
    metadata,
)

recorded_sources = leased(
    "recorded_sources",
    Column("source_id", ForeignKey("running_sources.id", ondelete="CASCADE"), nullable=False),
    Column("owner", ShortText(255), nullable=False),
    Column("error", LongText),
    UniqueConstraint("source_id", "owner"),
)
"""A row for each owner of repositories whose images a source runs, or ran."""
IS_RECORDED = ~ALL_PAUSED
falls_due(
    recorded_sources, DueTable("deployment-records", (IS_RECORDED,), is_regular=True, furthest=timedelta(days=7))
)
locked_after(recorded_sources, running_sources.name)
deployment_records = Table(
    "deployment_records",
    metadata,
    key_column(),
    Column("recorded_id", ForeignKey("recorded_sources.id", ondelete="CASCADE"), nullable=False),
    Column("name", ShortText(256), nullable=False),
    Column("image", ShortText(256), nullable=False),
    Column("digest", ShortText(160), nullable=False),
    Column("repository", ShortText(255), nullable=False),
    Column("sent_at", Moment, nullable=False),
    Column("refused", ShortText(255)),
    UniqueConstraint("recorded_id", "name"),
)
"""What was sent, as `DeploymentRecord` has it, and why it was `refused`."""
