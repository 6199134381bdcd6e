"""What was told of images by their layers, with the packages of each."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.failure import Failure
from bot.domain.packages.package import Distribution, Inventory, Package
from bot.store.engine.codec import load
from bot.store.rows.inventories.inventories import inventories, inventory_packages, packages_by_id


async def inventories_of(connection: AsyncConnection, numbers: Collection[int]) -> dict[int, Inventory | Failure]:
    """What was told of some hundred images at most, by their ids, in as many statements as for one: the failure
    where that cannot be read; those of which nothing was told are left out."""
    is_told = inventories.c.id.in_(numbers), inventories.c.read_at.is_not(None)
    rows = (await connection.execute(select(inventories).where(*is_told))).all()
    pairs = await connection.execute(
        select(inventory_packages.c.inventory_id, inventory_packages.c.package_id).where(
            inventory_packages.c.inventory_id.in_([row.id for row in rows])
        )
    )
    package_ids: dict[int, list[int]] = {row.id: [] for row in rows}
    for inventory, package in pairs:
        package_ids[inventory].append(package)
    packages = await packages_by_id(connection, {each for ids in package_ids.values() for each in ids})
    return {
        row.id: _load_inventory_or_failure(row, [packages[each] for each in package_ids[row.id]]) for row in rows
    }


def _load_inventory_or_failure(row: Any, packages: Sequence[Package]) -> Inventory | Failure:
    try:
        return _load_inventory(row, packages)
    except Failure as failure:
        return failure


def _load_inventory(row: Any, packages: Sequence[Package]) -> Inventory:
    ordered = tuple(sorted(packages, key=lambda package: package.sort_key))
    return Inventory(ordered, distribution_in(row.distribution), tuple(row.problems))


def distribution_in(value: Any) -> Distribution | None:
    """The distribution in a column; None where there is none. Raises `Failure` where it cannot be read."""
    return None if value is None else load(value, Distribution)
