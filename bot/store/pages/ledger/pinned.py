"""Which builds manifests pin by their digests: of a whole image, or of one platform's."""

from collections.abc import Collection, Mapping

from sqlalchemy import CompoundSelect, select, true, union
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.engine.among import is_among
from bot.store.rows.images.images import deployments
from bot.store.rows.inventories.inventories import inventories
from bot.store.rows.inventories.sboms import sbom_looks

Pinned = Mapping[str, frozenset[int]]
"""The inventories of the builds that are still known, by the digests that manifests name."""


def pinned_inventories(*, are_all_read: bool = True) -> CompoundSelect[tuple[str, int]]:
    """Digests that manifests name, each with an inventory that it stands for.

    Of a whole image those of the `platforms` that are given, where not `are_all_read`.
    """
    is_read = true() if are_all_read else is_among(inventories.c.platform, "platforms")
    return union(
        select(deployments.c.digest, inventories.c.id).join(
            inventories, inventories.c.digest == deployments.c.digest
        ),
        select(deployments.c.digest, sbom_looks.c.inventory_id)
        .join(sbom_looks, sbom_looks.c.index_digest == deployments.c.digest)
        .join(inventories, inventories.c.id == sbom_looks.c.inventory_id)
        .where(is_read),
    )


async def read_pinned(connection: AsyncConnection, platforms: Collection[str] | None) -> Pinned:
    """Of a whole image, only these platforms are read, and count; None where all are."""
    found: dict[str, set[int]] = {}
    given = {} if platforms is None else {"platforms": platforms}
    for row in await connection.execute(pinned_inventories(are_all_read=platforms is None), given):
        found.setdefault(row.digest, set()).add(row.id)
    return {digest: frozenset(some) for digest, some in found.items()}
