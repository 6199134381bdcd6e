"""The statements that the bot attaches to images, as rows that fall due."""

from sqlalchemy import Column, ForeignKey, String, Text

from bot.store.rows.images.images import images
from bot.store.rows.moment import Moment
from bot.store.rows.schema import leased

attestations = leased(
    "attestations",
    Column("image_id", ForeignKey(images.c.id, ondelete="CASCADE"), nullable=False, unique=True),
    Column("digest", String(160)),
    Column("attached_at", Moment),
    Column("considered_at", Moment),
    Column("error", Text),
)
"""`digest` is what the last statement was attached to; `considered_at` when the image was last judged."""
