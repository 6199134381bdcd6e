"""Which builds manifests pin by their digests: of a whole image, or of one platform's."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import CompoundSelect, literal, select, true, union
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.engine.among import is_among
from bot.store.rows.images.images import deployments
from bot.store.rows.inventories.inventories import inventories
from bot.store.rows.inventories.sboms import later_indexes, sbom_looks


@dataclass(frozen=True, slots=True)
class PinnedBuild:
    """The inventories that are still known of what a digest names, with their platforms; `is_whole` where that is
    an image of all platforms, some of which may not be known."""

    is_whole: bool
    inventories: frozenset[tuple[str, int]]

    def has_all(self, platforms: Collection[str]) -> bool:
        """Whether nothing that it has of these is unknown: what names one platform's build has no other."""
        return not self.is_whole or {platform for platform, _ in self.inventories}.issuperset(platforms)


Pinned = Mapping[str, PinnedBuild]
"""By the digests that manifests name."""


def pinned_inventories(*, are_all_read: bool = True) -> CompoundSelect[Any]:
    """Digests that manifests name, each with an inventory that it stands for.

    Of a whole image those of the `platforms` that are given, where not `are_all_read`.
    """
    is_read = true() if are_all_read else is_among(inventories.c.platform, "platforms")
    columns = (deployments.c.digest, inventories.c.platform, inventories.c.id)
    of_whole = (
        select(*columns, literal(1))
        .join(indexes, indexes.c.index_digest == deployments.c.digest)
        .join(inventories, inventories.c.id == indexes.c.inventory_id)
        .where(is_read)
        for indexes in (sbom_looks, later_indexes)
    )
    of_one = select(*columns, literal(0).label("is_whole")).join(
        inventories, inventories.c.digest == deployments.c.digest
    )
    return union(of_one, *of_whole)


async def read_pinned(connection: AsyncConnection, platforms: Collection[str] | None) -> Pinned:
    """Of a whole image, only these platforms are read, and count; None where all are.

    An image of one platform is named by the digest of that platform's manifest, though tags show it.
    """
    given = {} if platforms is None else {"platforms": platforms}
    found: dict[str, set[tuple[str, int]]] = {}
    of_one: set[str] = set()
    for row in await connection.execute(pinned_inventories(are_all_read=platforms is None), given):
        found.setdefault(row.digest, set()).add((row.platform, row.id))
        if not row.is_whole:
            of_one.add(row.digest)
    return {digest: PinnedBuild(digest not in of_one, frozenset(some)) for digest, some in found.items()}
