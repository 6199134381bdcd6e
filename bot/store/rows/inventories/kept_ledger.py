"""Where fixes are stuck in the fleet, as it was last worked out: of thousands of images that takes seconds."""

from sqlalchemy import JSON, Column, Table

from bot.store.rows.schema import Noted, key_column, metadata

kept_ledger = Table(
    "kept_ledger",
    metadata,
    key_column(),
    Column("at", Noted, nullable=False),
    Column("ledger", JSON, nullable=False),
)
"""One row at most."""
