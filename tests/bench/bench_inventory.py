"""How fast the inventory question is answered, and one image more told, beside 10,000 images of 200 packages."""

import asyncio
import statistics
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Table, insert, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.observation import Observation
from bot.domain.clock import ManualClock
from bot.domain.packages.package import Distribution, Inventory, Package
from bot.domain.packages.wanted import WantedPackage
from bot.domain.reference import Base
from bot.fleet.verify.inventory.rows.inventory import InventoryStore
from bot.store.engine.codec import dump
from bot.store.engine.database import Database, open_database
from bot.store.engine.writing import chunks
from bot.store.pages.images.packages import PackagesStore
from bot.store.rows.bases.tables import bases, observations
from bot.store.rows.images.images import deployments, images
from bot.store.rows.inventories.inventories import (
    image_inventories,
    inventories,
    inventory_packages,
    observed_inventories,
    packages,
)
from bot.store.rows.repositories.tables import repositories
from tests.bench.engines import on_both
from tests.bench.maintenance import maintain
from tests.bench.measured import Measured
from tests.integration.store.filling import Stores

IMAGES = 10_000
BASES = 60
OF_BASE = 150
OWN = 50
POOL = 2_500
"""Packages of applications, of which each image has `OWN`."""
ASKED = 30
AIM = 0.020
TOLD = 10
AIM_TOLD = 0.100
NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
PLATFORM = "linux/amd64"
NOBLE = Distribution("ubuntu", "24.04")
WANTED = WantedPackage("openssl", "deb", ("3.0.13-0ubuntu3.3",))
"""Three of the bases have an older one, and so has every twentieth image."""


def run() -> list[Measured]:
    return asyncio.run(on_both(_measured))


async def _measured(engine: str, url: str) -> list[Measured]:
    database = await open_database(url)
    try:
        await fill(database)
        stores = Stores.of_worker(database, ManualClock(NOON), "bench")
        return [await _asked(engine, stores), await _told(engine, stores, database)]
    finally:
        await database.close()


async def _asked(engine: str, stores: Stores) -> Measured:
    took, found = [], 0
    for _ in range(ASKED):
        begun = time.perf_counter()
        answer = await stores[PackagesStore].find([WANTED], [PLATFORM])
        took.append(time.perf_counter() - begun)
        found = len(answer.found)
        assert answer.not_known == 0
    what = f"who has openssl below a version: {IMAGES} images of {OF_BASE + OWN} packages, {found} found, {engine}"
    return _row(what, took, AIM)


async def _told(engine: str, stores: Stores, database: Database) -> Measured:
    """Images whose tags are seen for the first time, each with one package that no other has."""
    places = range(BASES + IMAGES, BASES + IMAGES + TOLD)
    async with database.transaction() as connection:
        await _insert(connection, inventories, [{**_inventory(each), "read_at": None} for each in places])
    took = []
    for due in await stores.taken(stores[InventoryStore].inventories([PLATFORM]), TOLD):
        listed = await stores[InventoryStore].inventory(BASES + due.id % IMAGES)
        news = Package("deb", f"new{due.id}", "1.0")
        begun = time.perf_counter()
        await stores[InventoryStore].save_inventory(due, Inventory((*listed.packages, news), NOBLE))
        took.append(time.perf_counter() - begun)
    return _row(
        f"telling what one more image holds: {IMAGES} of {OF_BASE + OWN} packages, {engine}", took, AIM_TOLD
    )


def _row(what: str, took: Sequence[float], aim: float) -> Measured:
    median = statistics.median(took)
    return Measured(what, f"{median * 1000:.1f} ms (median)", f"under {aim * 1000:.0f} ms", median < aim)


async def fill(database: Database, number: int = IMAGES) -> None:
    """Makes bases, so many images that stand on them, and what is inside all of these."""
    async with database.transaction() as connection:
        await _bases(connection)
        await _images(connection, number)
        await _packages(connection)
    await maintain(database)


async def _bases(connection: AsyncConnection) -> None:
    named = [Base("mcr.example", "dotnet/aspnet", f"10.{number}") for number in range(BASES)]
    due = {"due_at": NOON}
    seen = [dump(Observation(NOON, base, _digest(place)), Observation) for place, base in enumerate(named)]
    await _insert(
        connection,
        bases,
        [
            {
                "id": place + 1,
                "registry": base.registry,
                "repository": base.repository,
                "tag": base.tag,
                "digest": _digest(place),
                "used": True,
                **due,
            }
            for place, base in enumerate(named)
        ],
    )
    await _insert(
        connection,
        observations,
        [
            {
                "id": place + 1,
                "base_id": place + 1,
                "at": NOON,
                "digest": _digest(place),
                "sight": "first",
                "observation": each,
                "assessed": True,
            }
            for place, each in enumerate(seen)
        ],
    )
    await connection.execute(bases.update().values(observation_id=bases.c.id))
    await _insert(connection, inventories, [_inventory(place) for place in range(BASES)])
    observed = [
        {"observation_id": place + 1, "platform": PLATFORM, "inventory_id": place + 1} for place in range(BASES)
    ]
    await _insert(connection, observed_inventories, observed)


async def _images(connection: AsyncConnection, of_fleet: int) -> None:
    fleet = [
        {
            "id": number + 1,
            "name": f"contoso/shop-{number}",
            "default_branch": "main",
            "listed": True,
            "config": {},
            "workflows": [],
            "problems": [],
            "due_at": NOON,
        }
        for number in range(of_fleet // 10)
    ]
    await _insert(connection, repositories, fleet)
    await _insert(connection, images, [_image(number) for number in range(of_fleet)])
    run_at = [
        {
            "repository_id": number // 10 + 1,
            "registry": "ghcr.example",
            "repository": f"contoso/i-{number}",
            "tag": "latest",
            "path": "deploy/app.yaml",
            "line": 7,
            "since": NOON,
        }
        for number in range(of_fleet)
    ]
    await _insert(connection, deployments, run_at)
    await _insert(connection, inventories, [_inventory(BASES + number) for number in range(of_fleet)])
    links = [
        {"image_id": number + 1, "platform": PLATFORM, "inventory_id": BASES + number + 1}
        for number in range(of_fleet)
    ]
    await _insert(connection, image_inventories, links)


async def _packages(connection: AsyncConnection) -> None:
    """Those of base `b` are numbers `b`, `b + BASES` and so on, all but OpenSSL naming the source package
    that they are built from; of the pool each image has every fiftieth."""
    of_bases = [
        _package(
            number + 1,
            "openssl" if number < BASES else f"lib{number // BASES}",
            f"3.0.13-0ubuntu3.{number % BASES}",
            None if number < BASES else f"lib{number // BASES}",
        )
        for number in range(OF_BASE * BASES)
    ]
    own = [_package(OF_BASE * BASES + number + 1, f"own{number}", "1.0") for number in range(POOL)]
    await _insert(connection, packages, [*of_bases, *own])
    since = literal(NOON, inventory_packages.c.since.type)
    base_of = (inventories.c.id - 1) % BASES
    held = (
        select(inventories.c.id, packages.c.id, since)
        .join(packages, literal(True))
        .where(packages.c.id <= OF_BASE * BASES, (packages.c.id - 1) % BASES == base_of)
    )
    mine = (
        select(inventories.c.id, packages.c.id, since)
        .join(packages, literal(True))
        .where(
            inventories.c.id > BASES,
            packages.c.id > OF_BASE * BASES,
            (packages.c.id + inventories.c.id) % (POOL // OWN) == 0,
        )
    )
    for rows in (held, mine):
        await connection.execute(
            insert(inventory_packages).from_select(["inventory_id", "package_id", "since"], rows)
        )


def _package(number: int, name: str, version: str, source: str | None = None) -> dict[str, Any]:
    told = {"type": "deb", "name": name, "version": version, "source": source}
    return {"id": number, "key": f"{number:064}", **told}


def _inventory(place: int) -> dict[str, Any]:
    told = {"seen_at": NOON, "read_at": NOON, "problems": [], "is_complete": True, "due_at": NOON}
    release = dump(NOBLE, Distribution)
    return {"id": place + 1, "digest": _digest(place), "platform": PLATFORM, "distribution": release, **told}


def _image(number: int) -> dict[str, Any]:
    base = {"registry": "mcr.example", "repository": "dotnet/aspnet", "tag": f"10.{(BASES + number) % BASES}"}
    publication = {
        "base": base,
        "at": NOON.isoformat(),
        "digest": _digest(1),
        "platform": PLATFORM,
        "platform_digest": _digest(2),
        "until": None,
    }
    standing = {"platform": PLATFORM, "strength": "proved", "basis": "layers", "publications": [publication]}
    return {
        "id": number + 1,
        "repository_id": number // 10 + 1,
        "registry": "ghcr.example",
        "repository": f"contoso/i-{number}",
        "tag": "latest",
        "source": "build",
        "path": "",
        "line": 0,
        "digest": _digest(BASES + number),
        "standings": [standing],
        "due_at": NOON,
    }


def _digest(number: int) -> str:
    return f"sha256:{number:064x}"


async def _insert(connection: AsyncConnection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    for some in chunks(rows):
        await connection.execute(insert(table), some)
