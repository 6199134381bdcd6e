"""Which platforms of images were read, what keeps others from it, and of how many images not all is known."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, and_, case, cast, func, null, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.images.standing import ImageStanding
from bot.domain.packages.package import Distribution
from bot.domain.platform import platform_of
from bot.store.engine.among import is_among
from bot.store.engine.codec import readable
from bot.store.rows.images.images import images
from bot.store.rows.inventories.inventories import (
    image_inventories,
    inventories,
    inventory_layers,
    inventory_packages,
    layers,
    packages,
)
from bot.store.rows.inventories.read_inventories import distribution_in


def _counts(is_wanted: ColumnElement[bool]) -> Select[Any]:
    """Of all images, of those that were seen, and of those of which not everything was read, or could be."""
    of_all = select(func.count()).select_from(images)
    seen_images = (
        select(func.count(image_inventories.c.image_id.distinct()))
        .join(inventories, inventories.c.id == image_inventories.c.inventory_id)
        .where(is_wanted)
    )
    in_part = seen_images.where(inventories.c.is_complete.is_not(True))
    return select(of_all.scalar_subquery(), seen_images.scalar_subquery(), in_part.scalar_subquery())


_OF_EVERY_PLATFORM = _counts(true())
_OF_SOME_PLATFORMS = _counts(is_among(inventories.c.platform, "platforms"))


async def count_images(connection: AsyncConnection, platforms: Collection[str] | None) -> tuple[int, int]:
    """All images, and those that were read on none of these platforms, or not as a whole on one that they have.

    None where every platform matters.
    """
    query = _OF_EVERY_PLATFORM if platforms is None else _OF_SOME_PLATFORMS
    parameters = {} if platforms is None else {"platforms": platforms}
    of_all, of_seen, in_part = (await connection.execute(query, parameters)).one()
    return int(of_all), int(of_all - of_seen + in_part)


_DAMAGED = "what is stored of it is damaged; restore it from a backup"
_LAYERS_ERROR = (
    select(func.min(layers.c.error))
    .join(inventory_layers, inventory_layers.c.layer_id == layers.c.id)
    .where(inventory_layers.c.inventory_id == inventories.c.id, layers.c.read_at.is_(None))
    .scalar_subquery()
)
_PLATFORMS = (
    select(
        *(image_inventories.c.image_id, image_inventories.c.platform, image_inventories.c.inventory_id),
        *(inventories.c.read_at, inventories.c.problems, inventories.c.distribution),
        func.coalesce(inventories.c.error, case((inventories.c.read_at.is_(None), _LAYERS_ERROR))).label("error"),
    )
    .join(inventories, inventories.c.id == image_inventories.c.inventory_id)
    .order_by(image_inventories.c.image_id, image_inventories.c.platform)
)


@dataclass(frozen=True, slots=True)
class ReadPlatform:
    """One platform of an image with its inventory; `not_read` says why that is empty, where nobody has read it."""

    image: int
    platform: str
    inventory: int
    read_at: datetime | None
    problems: tuple[str, ...]
    not_read: str
    distribution: Distribution | None


async def read_platforms(
    connection: AsyncConnection, image_ids: Collection[int], platforms: Collection[str] | None
) -> tuple[ReadPlatform, ...]:
    """Those of these images, by their ids; `platforms` are those that are read at all, None where all are."""
    rows = await connection.execute(_PLATFORMS.where(image_inventories.c.image_id.in_(image_ids)))
    return tuple(_platform(row, platforms) for row in rows)


def _platform(row: Any, platforms: Collection[str] | None) -> ReadPlatform:
    """Reads one row, also where that is damaged."""

    def read(row: Any) -> ReadPlatform:
        return ReadPlatform(
            *(row.image_id, row.platform, row.inventory_id, row.read_at),
            tuple(row.problems or ()),
            "" if row.read_at is not None else _why_not(row.platform, row.error, platforms),
            distribution_in(row.distribution),
        )

    read_rows = readable([row], read, lambda row: f"inventory {row.inventory_id}")
    return (
        read_rows[0]
        if read_rows
        else ReadPlatform(row.image_id, row.platform, row.inventory_id, None, (), _DAMAGED, None)
    )


def _why_not(platform: str, error: str | None, platforms: Collection[str] | None) -> str:
    if platforms is not None and platform_of(platform) not in platforms:
        return "packages.platforms in the settings does not name it"
    return error or "it waits to be read"


async def bases_below(
    connection: AsyncConnection, read: Sequence[ReadPlatform], standings: Mapping[int, Sequence[ImageStanding]]
) -> dict[int, int]:
    """By inventory that of what the image stands on there, as far as that was read; by the standings of images."""
    digests: dict[int, list[str]] = {}
    for platform in read:
        for standing in standings.get(platform.image, ()):
            if standing.platform == platform_of(platform.platform):
                base_digests = [publication.platform_digest for publication in standing.publications]
                digests.setdefault(platform.inventory, base_digests)
    all_digests = {digest for base_digests in digests.values() for digest in base_digests}
    if not all_digests:
        return {}
    rows = await connection.execute(
        select(inventories.c.digest, inventories.c.id).where(
            inventories.c.digest.in_(all_digests), inventories.c.read_at.is_not(None)
        )
    )
    ids = {row.digest: row.id for row in rows}
    below = {
        number: [ids[digest] for digest in base_digests if digest in ids]
        for number, base_digests in digests.items()
    }
    return {number: inventory_ids[0] for number, inventory_ids in below.items() if inventory_ids}


async def count_types(
    connection: AsyncConnection, numbers: Collection[int], below: Mapping[int, int]
) -> dict[int, dict[str, tuple[int, int]]]:
    """By inventory and type, how many packages there are, and how many the one `below` has too."""
    base = inventory_packages.alias()
    its_base = case(below, value=inventory_packages.c.inventory_id) if below else cast(null(), Integer)
    rows = await connection.execute(
        select(
            *(inventory_packages.c.inventory_id, packages.c.type),
            *(func.count().label("held"), func.count(base.c.package_id).label("shared")),
        )
        .join(packages, packages.c.id == inventory_packages.c.package_id)
        .outerjoin(
            base,
            and_(base.c.inventory_id == its_base, base.c.package_id == inventory_packages.c.package_id),
        )
        .where(inventory_packages.c.inventory_id.in_(numbers))
        .group_by(inventory_packages.c.inventory_id, packages.c.type)
        .order_by(packages.c.type)
    )
    counts: dict[int, dict[str, tuple[int, int]]] = {}
    for row in rows:
        counts.setdefault(row.inventory_id, {})[row.type] = (row.held, row.shared)
    return counts
