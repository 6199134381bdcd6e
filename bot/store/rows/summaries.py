"""The times of the summaries that were announced."""

from sqlalchemy import Column, Table

from bot.store.rows.moment import Moment
from bot.store.rows.tables import Id, metadata

summaries = Table(
    "summaries",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("at", Moment, nullable=False, unique=True),
)
