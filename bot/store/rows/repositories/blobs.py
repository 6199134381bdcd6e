"""Contents of files by git's names for them, kept once however many repositories hold them."""

import zlib
from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.engine.inserting import chunks
from bot.store.engine.readable import readable
from bot.store.rows.repositories.tables import blobs


async def blobs_of(connection: AsyncConnection, shas: Iterable[str]) -> dict[str, bytes]:
    """Reads the contents that are kept, by their shas."""
    bodies: dict[str, bytes] = {}
    for chunk in chunks(sorted(set(shas))):
        rows = await connection.execute(select(blobs).where(blobs.c.sha.in_(chunk)))
        bodies |= readable(rows, lambda row: (row.sha, zlib.decompress(row.body)), lambda row: f"blob {row.sha}")
    return bodies
