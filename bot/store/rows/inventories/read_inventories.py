"""What was told of images by their layers: inventories with the packages of each, and the runtimes among these."""

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import JSON, String, cast, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.failure import Failure
from bot.domain.packages.package import Distribution, Inventory, Package
from bot.store.engine.codec import load
from bot.store.engine.counters import EXPOSURES, raise_counter
from bot.store.engine.writing import chunks, insert_into
from bot.store.rows.inventories.inventories import inventories, inventory_packages, packages, packages_by_id
from bot.store.rows.inventories.vulnerabilities import expose_packages, look_again_soon


async def package_ids(connection: AsyncConnection, some_packages: Collection[Package], now: datetime) -> set[int]:
    """Reads the ids of these packages; those that are new are added."""
    by_key = {_key_of(package): package for package in some_packages}
    ids = await _known_ids(connection, by_key)
    missing = [{"key": key, **asdict(by_key[key])} for key in sorted(by_key.keys() - ids.keys())]
    if missing:
        await raise_counter(connection, EXPOSURES)
        for chunk in chunks(missing):
            await connection.execute(insert_into(connection, packages).on_conflict_do_nothing(), chunk)
        new = await _known_ids(connection, [each["key"] for each in missing])
        await look_again_soon(connection, now)
        await expose_packages(connection, new.values())
        ids |= new
    return set(ids.values())


async def _known_ids(connection: AsyncConnection, keys: Collection[str]) -> dict[str, int]:
    ids: dict[str, int] = {}
    for chunk in chunks(sorted(keys)):
        rows = await connection.execute(select(packages.c.key, packages.c.id).where(packages.c.key.in_(chunk)))
        ids |= {row.key: row.id for row in rows}
    return ids


@lru_cache(maxsize=65_536)
def _key_of(package: Package) -> str:
    return hashlib.sha256(json.dumps(list(asdict(package).values())).encode()).hexdigest()


async def is_new_to_release(
    connection: AsyncConnection, inventory: int, distribution: Any, ids: Collection[int]
) -> bool:
    """Whether an image holds packages, among these, that no other image of its release was read with: what is said
    of them in another release says nothing of them.

    Each package is looked up by itself, up to the first such image. `OFFSET 0` keeps PostgreSQL from comparing all
    of them with all that is in the fleet's images, which takes seconds.
    """
    holders = (
        select(inventory_packages.c.inventory_id)
        .where(inventory_packages.c.package_id == packages.c.id, inventory_packages.c.inventory_id != inventory)
        .correlate(packages)
        .offset(0)
        .subquery()
    )
    in_release = (
        select(inventories.c.id)
        .join(holders, holders.c.inventory_id == inventories.c.id)
        .where(cast(inventories.c.distribution, String) == cast(literal(distribution, JSON), String))
        .correlate(packages)
        .limit(1)
        .scalar_subquery()
    )
    for chunk in chunks(sorted(ids)):
        new = await connection.execute(
            select(packages.c.id).where(packages.c.id.in_(chunk), in_release.is_(None)).limit(1)
        )
        if new.first() is not None:
            return True
    return False


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
