"""Contents of files by git's names for them, kept once however many repositories hold them."""

import zlib
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.engine.inserting import chunks
from bot.store.engine.readable import readable
from bot.store.rows.forgetting import UNREFERRED_FOR, forgets
from bot.store.rows.repositories.tables import blobs, repository_blobs


async def blobs_of(connection: AsyncConnection, shas: Iterable[str]) -> dict[str, bytes]:
    """Reads the contents that are kept, by their shas."""
    bodies: dict[str, bytes] = {}
    for chunk in chunks(sorted(set(shas))):
        rows = await connection.execute(select(blobs).where(blobs.c.sha.in_(chunk)))
        bodies |= readable(rows, lambda row: (row.sha, zlib.decompress(row.body)), lambda row: f"blob {row.sha}")
    return bodies


@forgets(blobs, "files that no repository holds", UNREFERRED_FOR)
async def forget_blobs(connection: AsyncConnection, before: datetime) -> dict[str, int]:
    unheld = delete(blobs).where(blobs.c.fetched_at < before, blobs.c.sha.not_in(select(repository_blobs.c.sha)))
    return {"blobs": (await connection.execute(unheld)).rowcount}
