"""Documents of digests: how long they are kept once nothing shows them any more."""

import json
import zlib
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.engine.inserting import chunks
from bot.store.rows.bases.tables import bases, manifests, observations
from bot.store.rows.forgetting import UNREFERRED_FOR, delete_rows, forgets
from bot.store.rows.images.images import images


@forgets(manifests, "what no base and no image shows, and no base has shown since", UNREFERRED_FOR)
async def forget_manifests(connection: AsyncConnection, before: datetime) -> dict[str, int]:
    unreferred = await _unreferred_manifests(connection, before)
    return {"manifests": await delete_rows(connection, manifests, "digest", unreferred)}


async def _unreferred_manifests(connection: AsyncConnection, before: datetime) -> list[str]:
    """Documents of digests that no base or image shows now and no base has shown since `before`."""
    kept = set((await connection.execute(select(bases.c.digest).where(bases.c.digest.is_not(None)))).scalars())
    kept |= set((await connection.execute(select(images.c.digest).where(images.c.digest.is_not(None)))).scalars())
    lately = select(observations.c.digest).where(observations.c.at >= before, observations.c.digest.is_not(None))
    new = set((await connection.execute(lately)).scalars()) | kept
    kept = set()
    while new := new - kept:
        kept |= new
        new = {named for chunk in chunks(sorted(new)) for named in await _named_in(connection, chunk)}
    old = await connection.execute(select(manifests.c.digest).where(manifests.c.fetched_at < before))
    return sorted(set(old.scalars()) - kept)


async def _named_in(connection: AsyncConnection, digests: Collection[str]) -> set[str]:
    """The manifests and configs that these documents point to."""
    bodies = await connection.execute(select(manifests.c.body).where(manifests.c.digest.in_(digests)))
    return {digest for body in bodies.scalars() for digest in _digests(json.loads(zlib.decompress(body)))}


def _digests(document: Any) -> Iterator[str]:
    """Returns what a document points to: an index to its images, an image to its config, a config to nothing."""
    pointers = document.get("manifests", [document.get("config")]) if isinstance(document, dict) else []
    for pointer in pointers if isinstance(pointers, list) else []:
        if isinstance(pointer, dict) and isinstance(pointer.get("digest"), str):
            yield pointer["digest"]
