"""Which builds manifests pin by their digests: of a whole image, or of one platform's."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.rows.inventories.pinned import inventories_of_builds, pinned_inventories


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
"""By the digests that manifests name, or named before."""


async def read_pinned(
    connection: AsyncConnection, platforms: Collection[str] | None, before: Collection[str]
) -> Pinned:
    """The builds that manifests pin, and those `before` them.

    Of a whole image, only these platforms are read, and count; None where all are.

    An image of one platform is named by the digest of that platform's manifest, though tags show it.
    """
    are_all_read = platforms is None
    parameters: dict[str, Collection[str]] = {} if platforms is None else {"platforms": platforms}
    rows = list(await connection.execute(pinned_inventories(are_all_read=are_all_read), parameters))
    if before:
        builds = inventories_of_builds(are_all_read=are_all_read)
        rows += await connection.execute(builds, {**parameters, "digests": before})
    return _builds(rows)


async def read_builds(
    connection: AsyncConnection, platforms: Collection[str] | None, digests: Collection[str]
) -> Pinned:
    """Reads the builds of these digests alone."""
    if not digests:
        return {}
    parameters: dict[str, Collection[str]] = {} if platforms is None else {"platforms": platforms}
    builds = inventories_of_builds(are_all_read=platforms is None)
    return _builds((await connection.execute(builds, {**parameters, "digests": digests})).all())


def _builds(rows: Iterable[Any]) -> Pinned:
    platforms_of_digest: dict[str, set[tuple[str, int]]] = {}
    of_one: set[str] = set()
    for row in rows:
        platforms_of_digest.setdefault(row.digest, set()).add((row.platform, row.id))
        if not row.is_whole:
            of_one.add(row.digest)
    return {
        digest: PinnedBuild(digest not in of_one, frozenset(platforms))
        for digest, platforms in platforms_of_digest.items()
    }
