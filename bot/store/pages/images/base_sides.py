"""What the bases of images show now of the packages in question."""

from collections.abc import Collection, Mapping

from sqlalchemy import String, and_, cast, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.packages.package import Package
from bot.store.engine.among import is_among
from bot.store.pages.images.found_packages import BaseName, BaseSide, HoldingImage
from bot.store.pages.images.holding import release_in, told_in
from bot.store.rows.bases.tables import bases
from bot.store.rows.inventories.inventories import inventories, inventory_packages, observed_inventories

_SIDES = (
    select(
        bases.c.registry,
        bases.c.repository,
        bases.c.tag,
        bases.c.digest,
        observed_inventories.c.platform,
        inventories.c.is_complete,
        cast(inventories.c.distribution, String),
        inventories.c.id,
        inventory_packages.c.package_id,
    )
    .join(observed_inventories, observed_inventories.c.observation_id == bases.c.observation_id)
    .join(inventories, inventories.c.id == observed_inventories.c.inventory_id)
    .outerjoin(
        inventory_packages,
        and_(
            inventory_packages.c.inventory_id == inventories.c.id,
            is_among(inventory_packages.c.package_id, "packages"),
        ),
    )
    .where(bases.c.digest.is_not(None), is_among(bases.c.tag, "tags"))
)


async def sides_of(
    connection: AsyncConnection, packages_by_id: Mapping[int, Package], holding_images: Collection[HoldingImage]
) -> Mapping[tuple[BaseName, str], BaseSide]:
    """Reads what these images' bases show of these packages, by name and platform."""
    stood_on = {name for image in holding_images for names in image.stands_on.names.values() for name in names}
    sides: dict[tuple[BaseName, str], BaseSide] = {}
    if not stood_on:
        return sides
    rows = await connection.execute(_SIDES, {"packages": packages_by_id, "tags": {tag for _, _, tag in stood_on}})
    for *name, digest, platform, is_complete, distribution, number, package in rows:
        base = (name[0], name[1], name[2])
        if base not in stood_on:
            continue
        side = sides.get((base, platform))
        if side is None:
            releases = told_in(distribution, release_in, f"inventory {number}")
            base_packages: list[Package] | None = [] if is_complete and releases else None
            side = BaseSide("{}/{}:{}".format(*base), digest, base_packages, next(iter(releases), None))
            sides[base, platform] = side
        if side.packages is not None and package is not None:
            side.packages.append(packages_by_id[package])
    return sides
