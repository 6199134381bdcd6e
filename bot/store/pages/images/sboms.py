"""What layers and SBOMs of images list, platform by platform, and how both differ."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.evidence import Strength
from bot.domain.images.standing import ImageStanding
from bot.domain.packages.changes import package_changes
from bot.domain.packages.package import Package
from bot.store.pages.images.read_platforms import ReadPlatform, bases_below, count_types
from bot.store.rows.inventories.inventories import inventory_packages, package_of, packages, sbom_packages, sboms
from bot.views.images.image_pages import PlatformPackages, SbomRow

_MOST_COMPARED = 20
"""SBOMs of one page that are compared with what the layers show."""


async def packages_of_images(
    connection: AsyncConnection,
    read: Sequence[ReadPlatform],
    standings: Mapping[int, Sequence[ImageStanding]],
    chosen: int,
) -> dict[int, tuple[PlatformPackages, ...]]:
    """By image, what its layers and its SBOMs show on each of these platforms. `standings` are those of the images,
    by their ids; of many SBOMs, those of the `chosen` image come first."""
    below = await bases_below(connection, read, standings)
    types = await count_types(connection, {each.inventory for each in read}, below)
    first = {each.inventory for each in read if each.image == chosen}
    sbom_rows = await _sboms(connection, {each.inventory: each.read_at is not None for each in read}, first)
    by_image: dict[int, tuple[PlatformPackages, ...]] = {}
    for platform in read:
        is_read = platform.read_at is not None
        counts = types.get(platform.inventory, {})
        platform_packages = PlatformPackages(
            platform.platform,
            sum(count for count, _ in counts.values()) if is_read else None,
            platform.problems,
            sbom_rows.get(platform.inventory, ()),
            {type_: count for type_, (count, _) in counts.items()},
            sum(shared for _, shared in counts.values()) if is_read and platform.inventory in below else None,
            platform.read_at,
            platform.not_read,
        )
        by_image[platform.image] = (*by_image.get(platform.image, ()), platform_packages)
    return by_image


async def _sboms(
    connection: AsyncConnection, is_read: Mapping[int, bool], first: Collection[int]
) -> dict[int, tuple[SbomRow, ...]]:
    """Those of these inventories, of which each was read or was not; if there are many, of some `first`."""
    rows = await connection.execute(
        select(sboms)
        .where(sboms.c.inventory_id.in_(is_read))
        .order_by(sboms.c.inventory_id.not_in(first), sboms.c.id)
        .limit(_MOST_COMPARED)
    )
    sbom_rows: dict[int, tuple[SbomRow, ...]] = {}
    if not (read := rows.all()):
        return sbom_rows
    of_layers, of_sboms = await _read_packages(
        connection, {row.inventory_id for row in read}, {row.id for row in read}
    )
    for row in read:
        sbom_packages_listed = of_sboms.get(row.id, [])
        is_compared = is_read[row.inventory_id] and not row.problems
        sbom_row = SbomRow(
            row.origin,
            Strength(row.strength),
            row.told,
            row.at,
            len(sbom_packages_listed),
            tuple(row.problems),
            package_changes(of_layers.get(row.inventory_id, ()), sbom_packages_listed) if is_compared else None,
        )
        sbom_rows[row.inventory_id] = (*sbom_rows.get(row.inventory_id, ()), sbom_row)
    return sbom_rows


async def _read_packages(
    connection: AsyncConnection, numbers: Collection[int], of: Collection[int]
) -> tuple[dict[int, list[Package]], dict[int, list[Package]]]:
    """Reads what the layers of these inventories show, and what these SBOMs list."""
    layer_columns, sbom_columns = inventory_packages.c, sbom_packages.c
    every = union_all(
        select(
            layer_columns.inventory_id.label("place"), literal(1).label("is_shown"), layer_columns.package_id
        ).where(layer_columns.inventory_id.in_(numbers)),
        select(sbom_columns.sbom_id, literal(0), sbom_columns.package_id).where(sbom_columns.sbom_id.in_(of)),
    ).subquery()
    rows = await connection.execute(
        select(every.c.place, every.c.is_shown, packages).join(packages, packages.c.id == every.c.package_id)
    )
    of_layers: dict[int, list[Package]] = {}
    of_sboms: dict[int, list[Package]] = {}
    for row in rows:
        (of_layers if row.is_shown else of_sboms).setdefault(row.place, []).append(package_of(row))
    return of_layers, of_sboms
