"""Images as the ledger looks at them: what they stand on, where they run, and what is inside each platform."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import String, cast, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.images.standing import ImageStanding
from bot.store.engine.among import is_among
from bot.store.engine.codec import load
from bot.store.engine.readable import readable
from bot.store.pages.images.deployed import deployments_of
from bot.store.pages.ledger.entries import ExposedImage
from bot.store.rows.images.images import images
from bot.store.rows.repositories.tables import repositories
from bot.views.images.images import Deployment

_IMAGES = (
    select(
        *(images.c[name] for name in ("id", "registry", "repository", "tag", "found", "digest")),
        cast(images.c.standings, String).label("standings"),
        repositories.c.name,
    )
    .join(repositories, repositories.c.id == images.c.repository_id)
    .where(is_among(images.c.id, "images"))
    .order_by(images.c.id)
)


async def read_images(
    connection: AsyncConnection, inventories_by_image: Mapping[int, Sequence[tuple[str, int]]]
) -> tuple[ExposedImage, ...]:
    """Reads the images with these ids, each with the inventories of its platforms."""
    run_at = await deployments_of(connection, inventories_by_image)
    standings = _Standings()
    rows = await connection.execute(_IMAGES, {"images": inventories_by_image})
    exposed_images = readable(
        rows.all(),
        lambda row: _image(row, standings, inventories_by_image[row.id], run_at.get(row.id, ())),
        lambda row: f"image {row.id}",
    )
    return tuple(exposed_images)


class _Standings(dict[str | None, tuple[ImageStanding, ...]]):
    """By their JSON, each read once: there may be thousands of images that stand alike."""

    def __missing__(self, text: str | None) -> tuple[ImageStanding, ...]:
        self[text] = load(json.loads(text or "null") or [], tuple[ImageStanding, ...])
        return self[text]


def _image(
    row: Any,
    standings: Mapping[str | None, tuple[ImageStanding, ...]],
    platform_inventories: Sequence[tuple[str, int]],
    run_at: Sequence[Deployment],
) -> ExposedImage:
    return ExposedImage(
        f"{row.registry}/{row.repository}:{row.found or row.tag}",
        frozenset(tag for tag in (row.found, row.tag) if tag),
        row.digest,
        row.name,
        standings[row.standings],
        tuple(sorted(platform_inventories)),
        tuple(run_at),
    )
