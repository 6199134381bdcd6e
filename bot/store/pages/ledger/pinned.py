"""Which builds manifests pin by their digests: of a whole image, or of one platform's."""

from collections.abc import Mapping

from sqlalchemy import CompoundSelect, select, union
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.rows.images.images import deployments
from bot.store.rows.inventories.inventories import inventories
from bot.store.rows.inventories.sboms import sbom_looks

Pinned = Mapping[str, frozenset[int]]
"""The inventories of the builds that are still known, by the digests that manifests name."""


def pinned_inventories() -> CompoundSelect[tuple[str, int]]:
    """Digests that manifests name, each with an inventory that it stands for."""
    return union(
        select(deployments.c.digest, inventories.c.id).join(
            inventories, inventories.c.digest == deployments.c.digest
        ),
        select(deployments.c.digest, sbom_looks.c.inventory_id).join(
            sbom_looks, sbom_looks.c.index_digest == deployments.c.digest
        ),
    )


async def read_pinned(connection: AsyncConnection) -> Pinned:
    found: dict[str, set[int]] = {}
    for row in await connection.execute(pinned_inventories()):
        found.setdefault(row.digest, set()).add(row.id)
    return {digest: frozenset(some) for digest, some in found.items()}
