"""What the owners of repositories have granted the bot, as the last listing showed it."""

from sqlalchemy import JSON, Column, Table

from bot.store.rows.schema import metadata
from bot.store.rows.texts import ShortText

grants = Table(
    "grants",
    metadata,
    Column("owner", ShortText(255), primary_key=True),
    Column("granted", JSON, nullable=False),
)
"""By the owner's name in lower case; nothing is granted by one who has shut the bot out since."""
