"""How many layers are read when 60 bases move together, as on a patch day: each distinct one once."""

import asyncio
import tempfile
import time
from collections import Counter
from hashlib import sha256

from bot.domain.bases.observation import Observation, PlatformImage, Sight
from bot.domain.clock import ManualClock
from bot.domain.packages.package import Distribution, Inventory, Package
from bot.domain.reference import Base
from bot.domain.repositories.repository import Reading, Repository
from bot.fleet.verify.inventory.rows.inventory import InventoryStore
from bot.fleet.watch.registry.ports import Sighting
from bot.fleet.watch.registry.rows import WatchStore
from bot.images.packages.layers.layer import LayerContents
from bot.store.engine.database import open_database
from tests.bench.bench_inventory import NOON
from tests.bench.measured import Measured
from tests.integration.store.filling import HOUR, Stores, usage_of

PLATFORMS = ("linux/amd64", "linux/arm64")
DISTRIBUTIONS = 15
LAYERS_OF = {"runtime-deps": 2, "runtime": 3, "aspnet": 4, "sdk": 5}
"""Each family stands on the one before, with a layer more."""
BASES = tuple(
    (Base("mcr.microsoft.com", f"dotnet/{family}", f"10.0-distribution{number}"), number)
    for number in range(DISTRIBUTIONS)
    for family in LAYERS_OF
)
PACKAGES = tuple(Package("deb", f"lib{number}", "1.0", "amd64") for number in range(200))


def run() -> list[Measured]:
    return asyncio.run(_run())


async def _run() -> list[Measured]:
    with tempfile.TemporaryDirectory() as folder:
        database = await open_database(f"sqlite:///{folder}/store.db")
        try:
            stores = Stores.of_worker(database, ManualClock(NOON), "bench")
            await stores.listing(Repository("contoso/shop", "main"))
            await stores.read(Reading("tree", tuple((usage_of(base), base) for base, _ in BASES)))
            await _show(stores, "before")
            await _read(stores)
            stores.clock.advance(2 * HOUR)
            named = await _show(stores, "after")
            begun = time.perf_counter()
            read = await _read(stores)
            took = time.perf_counter() - begun
        finally:
            await database.close()
    distinct = len(set(named))
    assert set(read.values()) == {1}
    what = f"{len(BASES)} bases move on {len(PLATFORMS)} platforms: {len(named)} layers named, {distinct} distinct"
    figure = f"{read.total()} read, kept in {took:.1f} s"
    return [Measured(what, figure, f"{distinct} read", read.total() == distinct)]


def _digest(*parts: object) -> str:
    return f"sha256:{sha256(repr(parts).encode()).hexdigest()}"


async def _show(stores: Stores, moment: str) -> list[str]:
    """Every base shows new images; the layers that they name."""
    numbers = dict(BASES)
    now = stores.clock.now()
    named: list[str] = []
    sightings: list[Sighting] = []
    for due in await stores.bases(len(BASES)):
        images = []
        for platform in PLATFORMS:
            number = LAYERS_OF[due.base.repository.rpartition("/")[2]]
            layers = tuple(_digest(numbers[due.base], place, platform, moment) for place in range(number))
            images.append(PlatformImage(platform, _digest(due.base, platform, moment), layers=layers))
            named += layers
        seen = Observation(now, due.base, _digest(due.base, moment), "10.0.5", platforms=tuple(images))
        sightings.append(Sighting(due.id, Sight.MOVED if due.digest else Sight.FIRST, seen, now + HOUR))
    await stores[WatchStore].record(sightings, {})
    return named


async def _read(stores: Stores) -> Counter[str]:
    """Reads what is due, and tells what is inside; how often each layer was read."""
    read: Counter[str] = Counter()
    while some := await stores.taken(stores[InventoryStore].layers(PLATFORMS)):
        for layer in some:
            read[layer.digest] += 1
            await stores[InventoryStore].save_layer(layer, LayerContents(diff_id=layer.digest), None)
    while ready := await stores.taken(stores[InventoryStore].inventories(PLATFORMS)):
        for each in ready:
            await stores[InventoryStore].save_inventory(each, Inventory(PACKAGES, Distribution("ubuntu", "24.04")))
    return read
