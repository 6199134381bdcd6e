"""Layers that were read to see what they hold, where only an image's configuration said so."""

from sqlalchemy import Column, Table

from bot.store.rows.moment import Moment
from bot.store.rows.schema import key_column, metadata
from bot.store.rows.texts import ShortText

unpacked_layers = Table(
    "unpacked_layers",
    metadata,
    key_column(),
    Column("digest", ShortText(160), nullable=False, unique=True),
    Column("content", ShortText(160), nullable=False),
    Column("read_at", Moment, nullable=False),
)
"""`content` is the digest of what the layer holds, computed from its bytes."""
