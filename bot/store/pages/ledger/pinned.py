"""Which builds manifests pin by their digests: of a whole image, or of one platform's."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.rows.inventories.pinned import pinned_inventories


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
