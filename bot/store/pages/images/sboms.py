"""What SBOMs list, asked by package, and by the images that they are about."""

from collections.abc import Collection

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.evidence import Strength
from bot.domain.packages.changes import package_changes
from bot.domain.packages.package import Inventory, Package
from bot.store.rows.inventories.inventories import (
    image_inventories,
    inventories,
    inventory_packages,
    package_of,
    packages,
)
from bot.store.rows.inventories.read_inventories import inventories_of
from bot.store.rows.inventories.sboms import sbom_packages, sboms
from bot.views.images.image_pages import PlatformPackages, SbomRow

_MOST_COMPARED = 20
"""SBOMs of one page that are compared with what the layers show."""


async def packages_of_images(
    connection: AsyncConnection, some: Collection[int]
) -> dict[int, tuple[PlatformPackages, ...]]:
    """By image, what its layers and its SBOMs show on each platform."""
    counted = (
        select(func.count())
        .where(inventory_packages.c.inventory_id == inventories.c.id)
        .scalar_subquery()
        .label("held")
    )
    rows = await connection.execute(
        select(image_inventories, inventories.c.read_at, inventories.c.problems, counted)
        .join(inventories, inventories.c.id == image_inventories.c.inventory_id)
        .where(image_inventories.c.image_id.in_(some))
        .order_by(image_inventories.c.platform)
    )
    read = rows.all()
    listed = await _sboms(connection, {row.inventory_id for row in read})
    found: dict[int, tuple[PlatformPackages, ...]] = {}
    for row in read:
        is_read = row.read_at is not None
        shown = PlatformPackages(
            row.platform,
            row.held if is_read else None,
            tuple(row.problems or ()),
            listed.get(row.inventory_id, ()),
        )
        found[row.image_id] = (*found.get(row.image_id, ()), shown)
    return found


async def _sboms(connection: AsyncConnection, some: Collection[int]) -> dict[int, tuple[SbomRow, ...]]:
    rows = await connection.execute(
        select(sboms).where(sboms.c.inventory_id.in_(some)).order_by(sboms.c.id).limit(_MOST_COMPARED)
    )
    read = rows.all()
    layers = await inventories_of(connection, {row.inventory_id for row in read})
    listed: dict[int, list[Package]] = {}
    for each in await connection.execute(
        select(sbom_packages.c.sbom_id, packages)
        .join(packages, packages.c.id == sbom_packages.c.package_id)
        .where(sbom_packages.c.sbom_id.in_([row.id for row in read]))
    ):
        listed.setdefault(each.sbom_id, []).append(package_of(each))
    found: dict[int, tuple[SbomRow, ...]] = {}
    for row in read:
        held, said = layers.get(row.inventory_id), listed.get(row.id, [])
        shown = SbomRow(
            row.origin,
            Strength(row.strength),
            row.told,
            row.at,
            len(said),
            tuple(row.problems),
            package_changes(held.packages, said) if isinstance(held, Inventory) and not row.problems else None,
        )
        found[row.inventory_id] = (*found.get(row.inventory_id, ()), shown)
    return found
