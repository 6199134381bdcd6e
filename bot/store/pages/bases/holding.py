"""Which inventories hold packages: by layers, and by SBOMs that list them."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import CompoundSelect, cast, null, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.engine.among import is_among
from bot.store.rows.inventories.inventories import inventory_packages
from bot.store.rows.inventories.sboms import sbom_packages, sboms


def holding(connection: AsyncConnection, asked: Collection[int]) -> CompoundSelect[Any]:
    """Inventories with any of these packages, since when each is known there, and the strength of the SBOM that
    says so: none where it is the layers."""
    by_layers = select(
        inventory_packages.c.inventory_id,
        inventory_packages.c.package_id,
        inventory_packages.c.since,
        cast(null(), sboms.c.strength.type).label("strength"),
    ).where(is_among(connection, inventory_packages.c.package_id, asked))
    by_sboms = (
        select(sboms.c.inventory_id, sbom_packages.c.package_id, sboms.c.at, sboms.c.strength)
        .join(sboms, sboms.c.id == sbom_packages.c.sbom_id)
        .where(is_among(connection, sbom_packages.c.package_id, asked))
    )
    return union_all(by_layers, by_sboms)
