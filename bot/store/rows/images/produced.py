"""The configurations of the images that a repository produces, as evidence for its audit."""

import json
import zlib
from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.observation import PlatformImage
from bot.domain.images.seen_config import SeenConfig, seen_config
from bot.store.engine.codec import load
from bot.store.rows.bases.tables import manifests
from bot.store.rows.images.images import contested_images, image_of, images

_MOST_IMAGES = 20
"""Of one repository whose configurations are evidence."""


async def produced_configs(connection: AsyncConnection, repository: int, name: str) -> tuple[SeenConfig, ...]:
    """Reads the configurations of the images that a repository has built, as far as its word for them counts."""
    rows = (
        await connection.execute(
            select(images)
            .where(images.c.repository_id == repository, images.c.digest.is_not(None))
            .order_by(images.c.registry, images.c.repository, images.c.id)
            .limit(_MOST_IMAGES)
        )
    ).all()
    if not rows:
        return ()
    contested_places = await contested_images(connection)
    configs = []
    for row in rows:
        image = image_of(row, name, contested_places)
        platforms = load(row.platforms, tuple[PlatformImage, ...]) if row.platforms else ()
        if image.doubt is None and platforms and image.digest is not None:
            document = await _load_config(connection, platforms[0].digest)
            if document is not None:
                configs.append(seen_config(image.claim.name, image.digest, document, image.place.tag))
    return tuple(configs)


async def _load_config(connection: AsyncConnection, manifest: str) -> Mapping[str, object] | None:
    """The configuration that a manifest names, where both are kept."""
    document = await _load_manifest(connection, manifest)
    pointer = document.get("config") if document is not None else None
    digest = pointer.get("digest") if isinstance(pointer, dict) else None
    return await _load_manifest(connection, digest) if isinstance(digest, str) else None


async def _load_manifest(connection: AsyncConnection, digest: str) -> Mapping[str, object] | None:
    body = await connection.scalar(select(manifests.c.body).where(manifests.c.digest == digest))
    document = json.loads(zlib.decompress(body)) if body is not None else None
    return document if isinstance(document, dict) else None
