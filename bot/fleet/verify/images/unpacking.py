"""A layer read whole, to see what it holds: the digest of its content, whatever an image says of it."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.failure import Failure
from bot.images.packages.layers.inflate import Inflater

MOST_AN_HOUR = 4 * 1024**3
"""Bytes of layers that are read to see what they hold. Each is read once and then known by its digest."""


@dataclass(slots=True)
class Allowance:
    """Counts the bytes that may still be read within an hour."""

    most: int = MOST_AN_HOUR
    began: datetime | None = None
    spent: int = 0

    def take(self, size: int, now: datetime) -> bool:
        """Whether so many more may be read; counts them where that is so."""
        if self.began is None or now - self.began >= timedelta(hours=1):
            self.began, self.spent = now, 0
        if self.spent + size > self.most:
            return False
        self.spent += size
        return True


async def content_of(
    layer: str, blob: AsyncGenerator[bytes, None], allowance: Allowance, now: datetime
) -> str | None:
    """The digest of what a layer unpacks to. None where it is not what its own digest names, where it is damaged,
    and where more would be read than is allowed. Raises `Failure` as the blob does."""
    algorithm, _, encoded = layer.partition(":")
    packed, content = hashlib.new(algorithm), hashlib.sha256()
    inflater = Inflater(f"layer {layer[:19]}…")

    def feed(chunk: bytes) -> None:
        packed.update(chunk)
        for piece in inflater.feed(chunk):
            content.update(piece)

    async with aclosing(blob) as chunks:
        async for chunk in chunks:
            if not allowance.take(len(chunk), now):
                return None
            try:
                await asyncio.to_thread(feed, chunk)
            except Failure:
                return None
    try:
        for piece in inflater.finish():
            content.update(piece)
    except Failure:
        return None
    return f"sha256:{content.hexdigest()}" if packed.hexdigest() == encoded else None
