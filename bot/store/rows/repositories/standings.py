"""How each repository stands, counted anew every half minute, and how many stood so on each day."""

from sqlalchemy import Column, Date, ForeignKey, Index, Integer, Table

from bot.store.rows.moment import Moment
from bot.store.rows.schema import Id, locked_after, metadata
from bot.store.rows.texts import ShortText

standings = Table(
    "standings",
    metadata,
    Column(
        "repository_id", ForeignKey("repositories.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    ),
    Column("rank", Integer, nullable=False),
    Column("standing", ShortText(16), nullable=False),
    Column("since", Moment),
    Column("latest_rebuild", Id),
    Index(None, "standing"),
)

standing_days = Table(
    "standing_days",
    metadata,
    Column("day", Date, primary_key=True),
    Column("standing", ShortText(16), primary_key=True),
    Column("repositories", Integer, nullable=False),
)
locked_after(standing_days, "standings")
