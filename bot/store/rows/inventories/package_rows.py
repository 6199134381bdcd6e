"""The rows of packages: each once, however many images hold it."""

import hashlib
import json
from collections.abc import Collection
from dataclasses import asdict
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import JSON, String, cast, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.packages.package import Package
from bot.store.engine.counters import EXPOSURES, raise_counter
from bot.store.engine.inserting import chunks, insert_into
from bot.store.rows.inventories.inventories import inventories, inventory_packages, packages
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
