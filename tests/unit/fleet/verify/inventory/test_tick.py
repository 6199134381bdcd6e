"""Layers are read once, what they make is told, and moves of bases are compared."""

from collections.abc import AsyncGenerator, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, Trouble
from bot.domain.packages.changes import Direction, PackageChange
from bot.domain.packages.package import Inventory, Package
from bot.fleet.verify.inventory.tick import Comparison, InventoryTally, UnreadInventory, UnreadLayer, tick
from bot.images.packages.layers.layer import LayerContents
from bot.reconcile.loop import Loop
from tests.fakes.queue import FakeQueue
from tests.unit.images.packages.archives import STATUS, archive, digest, paragraph, zipped, zstd

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
HOST = "registry.example"
PLATFORMS = ("linux/amd64",)
LATER = NOON + timedelta(days=9)
BASE = archive({STATUS: paragraph("libssl3t64", "3.0.13-0ubuntu3.5")})


@dataclass
class Registries:
    """Gives the blobs that it has, and counts."""

    blobs: dict[str, bytes]
    failure: Failure | None = None
    asked: list[str] = field(default_factory=list)

    async def blob(self, registry: str, repository: str, named: str) -> AsyncGenerator[bytes, None]:
        self.asked.append(named)
        if self.failure is not None:
            raise self.failure
        yield self.blobs[named]


@dataclass
class Store:
    """One image of the given layers, bottom first; `told` is what was said of each image by its id."""

    layer_queue: FakeQueue[UnreadLayer] = field(default_factory=FakeQueue)
    image_queue: FakeQueue[UnreadInventory] = field(default_factory=FakeQueue)
    comparisons: FakeQueue[Comparison] = field(default_factory=FakeQueue)
    contents: dict[str, LayerContents] = field(default_factory=dict)
    told: dict[int, Inventory] = field(default_factory=dict)
    compared: list[tuple[Sequence[PackageChange], bool]] = field(default_factory=list)

    @classmethod
    def of(cls, *layers: UnreadLayer) -> "Store":
        store = cls()
        for layer in layers:
            store.layer_queue.add(layer, NOON, id=layer.id)
        store.image_queue.add(UnreadInventory(1, "sha256:image"), NOON)
        return store

    def layers(self, platforms: Collection[str]) -> FakeQueue[UnreadLayer]:
        assert platforms == PLATFORMS
        return self.layer_queue

    def inventories(self, platforms: Collection[str]) -> FakeQueue[UnreadInventory]:
        self.image_queue.is_wanted = lambda _: len(self.contents) == len(self.layer_queue.rows)
        return self.image_queue

    async def layer_unpacked_to(self, diff_id: str) -> LayerContents | None:
        return next((each for each in self.contents.values() if each.diff_id == diff_id), None)

    async def save_layer(self, layer: UnreadLayer, contents: LayerContents | None, problem: str | None) -> None:
        self.layer_queue.settle(layer.id, LATER)
        self.contents[layer.digest] = contents or LayerContents(problems=(problem or "",))

    async def layers_of(self, inventory: UnreadInventory) -> Sequence[LayerContents]:
        return [self.contents[row.item.digest] for row in reversed(self.layer_queue.rows.values())]  # type: ignore[union-attr]

    async def save_inventory(self, inventory: UnreadInventory, found: Inventory) -> None:
        self.image_queue.settle(inventory.id, LATER)
        self.told[inventory.id] = found

    async def inventory(self, number: int) -> Inventory:
        return self.told[number]

    async def save_comparison(
        self, comparison: Comparison, changes: Sequence[PackageChange], *, is_complete: bool
    ) -> None:
        self.comparisons.settle(comparison.id, LATER)
        self.compared.append((changes, is_complete))


def layer(number: int, blob: bytes, **values: Any) -> UnreadLayer:
    return UnreadLayer(number, HOST, "dotnet/aspnet", digest(blob), **values)


def registries(*blobs: bytes) -> Registries:
    return Registries({digest(blob): blob for blob in blobs})


async def run(store: Store, given: Registries, at: datetime = NOON) -> InventoryTally:
    return await tick(store, given, PLATFORMS, Loop(ManualClock(at)))


async def test_an_image_is_told_in_the_tick_that_reads_its_last_layer() -> None:
    update = archive({STATUS: paragraph("libssl3t64", "3.0.13-0ubuntu3.6")})
    store = Store.of(layer(1, BASE), layer(2, update))
    assert await run(store, registries(BASE, update)) == InventoryTally(layers=2, images=1)
    assert [each.version for each in store.told[1].packages] == ["3.0.13-0ubuntu3.6"]
    assert await run(store, registries()) == InventoryTally()


async def test_a_layer_that_is_only_packed_otherwise_is_not_fetched() -> None:
    plain, packed = zipped(BASE), zstd(BASE)
    store = Store.of(layer(1, plain, named_diff_id=digest(BASE)), layer(2, packed, named_diff_id=digest(BASE)))
    given = registries(plain, packed)
    assert (await run(store, given)).layers == 2
    assert given.asked == [digest(plain)]


async def test_what_a_layer_unpacks_to_is_believed_nobody() -> None:
    """An image that lies of its layers must not change what is told of others."""
    evil = archive({STATUS: paragraph("harmless")})
    store = Store.of(layer(1, evil, named_diff_id=digest(BASE)), layer(2, BASE, named_diff_id=digest(BASE)))
    given = registries(evil, BASE)
    await run(store, given)
    assert given.asked == [digest(evil), digest(BASE)]


async def test_a_hostile_layer_is_tried_once_more_and_then_a_problem_of_its_image() -> None:
    bad = b"no archive" * 100
    store = Store.of(layer(1, BASE), layer(2, bad))
    assert (await run(store, registries(BASE, bad))).images == 0
    store.layer_queue[2] = layer(2, bad, attempts=2)
    assert (await run(store, registries(bad), NOON + timedelta(hours=1))).images == 1
    assert [each.name for each in store.told[1].packages] == ["libssl3t64"]
    assert "is no tar archive, or a damaged one" in store.told[1].problems[0]


@pytest.mark.parametrize("trouble", [Trouble.DENIED, Trouble.MISSING])
async def test_a_layer_that_is_not_given_leaves_its_image_untold(trouble: Trouble) -> None:
    store = Store.of(layer(1, BASE))
    tally = await run(store, Registries({}, Failure(trouble, "is not shown to us", where="layer")))
    assert (tally, store.told) == (InventoryTally(), {})
    assert "is not shown to us" in str(store.layer_queue.rows[1].error)


async def test_a_move_of_a_base_is_compared() -> None:
    store = Store()
    store.told = {1: Inventory((Package("deb", "a", "1.0"),)), 2: Inventory((Package("deb", "a", "1.1"),))}
    store.comparisons.add(Comparison(1, 1, 2), NOON)
    assert await run(store, registries()) == InventoryTally(compared=1)
    assert store.compared == [((PackageChange("deb", "a", None, "1.0", "1.1", Direction.UP),), True)]


async def test_a_comparison_of_what_was_read_in_part_says_so() -> None:
    store = Store()
    store.told = {1: Inventory(problems=("a layer is damaged",)), 2: Inventory()}
    store.comparisons.add(Comparison(1, 1, 2), NOON)
    await run(store, registries())
    assert store.compared == [((), False)]
