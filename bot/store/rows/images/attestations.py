"""The statements that the bot attaches to images, as rows that fall due."""

from sqlalchemy import Column, ForeignKey

from bot.store.rows.images.images import images
from bot.store.rows.moment import Moment
from bot.store.rows.schema import DueTable, falls_due, leased
from bot.store.rows.texts import LongText, ShortText

attestations = leased(
    "attestations",
    Column("image_id", ForeignKey(images.c.id, ondelete="CASCADE"), nullable=False, unique=True),
    Column("digest", ShortText(160)),
    Column("attached_at", Moment),
    Column("considered_at", Moment),
    Column("error", LongText),
)
"""`digest` is what the last statement was attached to; `considered_at` when the image was last judged."""
falls_due(attestations, DueTable())
"""The rows of an installation that signs statements no more stay, and are due: no figure tells of them."""
