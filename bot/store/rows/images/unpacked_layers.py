"""Layers that were read to see what they hold, where only an image's configuration said so."""

from datetime import datetime, timedelta

from sqlalchemy import Column, Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.observation import PlatformImage
from bot.store.engine.codec import load
from bot.store.engine.readable import readable
from bot.store.rows.forgetting import delete_rows, forgets
from bot.store.rows.images.images import images
from bot.store.rows.moment import Moment
from bot.store.rows.schema import key_column, locked_after, metadata
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
locked_after(unpacked_layers, "tasks")


_UNUSED_FOR = timedelta(days=365)
"""What a layer holds takes few bytes to keep and many to read again: an image that comes back finds it known."""


@forgets(unpacked_layers, "layers that no image has", _UNUSED_FOR)
async def forget_unpacked_layers(connection: AsyncConnection, before: datetime) -> dict[str, int]:
    unused = await _unused_layers(connection, before)
    return {"unpacked_layers": await delete_rows(connection, unpacked_layers, "digest", unused)}


async def _unused_layers(connection: AsyncConnection, before: datetime) -> set[str]:
    """Layers that were read before then to see what they hold, and that no image has now."""
    read = await connection.execute(select(unpacked_layers.c.digest).where(unpacked_layers.c.read_at < before))
    unused = set(read.scalars())
    if not unused:
        return unused
    shown = await connection.execute(select(images.c.id, images.c.platforms).where(images.c.platforms.is_not(None)))
    for platforms in readable(
        shown, lambda row: load(row.platforms, tuple[PlatformImage, ...]), lambda row: f"image {row.id}"
    ):
        unused.difference_update(*(platform.layers for platform in platforms))
    return unused
