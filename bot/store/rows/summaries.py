"""The times of the summaries that were announced."""

from sqlalchemy import Column, Table

from bot.store.rows.moment import Moment
from bot.store.rows.schema import key_column, metadata

summaries = Table(
    "summaries",
    metadata,
    key_column(),
    Column("at", Moment, nullable=False, unique=True),
)
