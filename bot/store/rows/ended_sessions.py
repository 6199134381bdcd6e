"""Sessions that somebody signed out of, kept for as long as their cookies would go on."""

from sqlalchemy import Column, Table

from bot.store.rows.moment import Moment
from bot.store.rows.schema import metadata
from bot.store.rows.texts import ShortText

ended_sessions = Table(
    "ended_sessions",
    metadata,
    Column("session", ShortText(64), primary_key=True),
    Column("until", Moment, nullable=False, index=True),
)
