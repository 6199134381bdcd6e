"""Which .NET runtimes images hold by their packages."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.engine.inserting import chunks
from bot.store.rows.inventories.inventories import inventories, inventory_packages, packages

_RUNTIME_PACK = "runtimepack.Microsoft.NETCore.App.Runtime."
"""How `.deps.json` names what a self-contained application has of .NET itself, before the platform."""


async def runtimes_in(connection: AsyncConnection, digests: Collection[str]) -> dict[str, tuple[str, ...]]:
    """The versions of the runtime packs in platforms of images, by their digests; nothing for one without."""
    versions_of: dict[str, set[str]] = {}
    for chunk in chunks(sorted(digests)):
        rows = await connection.execute(
            select(inventories.c.digest, packages.c.version)
            .join(inventory_packages, inventory_packages.c.inventory_id == inventories.c.id)
            .join(packages, packages.c.id == inventory_packages.c.package_id)
            .where(inventories.c.digest.in_(chunk), packages.c.name.startswith(_RUNTIME_PACK, autoescape=True))
        )
        for row in rows:
            versions_of.setdefault(row.digest, set()).add(row.version)
    return {digest: tuple(sorted(versions)) for digest, versions in versions_of.items()}
