"""Events that came in, remembered by the sender's own id, so that one that is sent twice counts once."""

from sqlalchemy import Column, Index, Table

from bot.store.rows.moment import Moment
from bot.store.rows.schema import metadata
from bot.store.rows.texts import ShortText

deliveries = Table(
    "deliveries",
    metadata,
    Column("source", ShortText(16), primary_key=True),
    Column("delivery", ShortText(128), primary_key=True),
    Column("at", Moment, nullable=False),
    Index(None, "at"),
)
