"""One tick: layers that nobody has read are read, what they make is told, and moves of bases are compared.

A layer is the unit of work, so that each is fetched once, however many images stand on it, and nothing that was
read is lost where a process ends in the middle of an image.
"""

import asyncio
from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from bot.domain.failure import Failure
from bot.domain.packages.changes import PackageChange, package_changes
from bot.domain.packages.package import Inventory
from bot.images.packages.databases.places import packages_in
from bot.images.packages.layers.layer import LayerContents, LayerReader
from bot.images.packages.layers.overlay import overlay
from bot.reconcile.loop import Loop
from bot.reconcile.work import Claimed, Lease, Queue, Work, put_off_by_backoff


@dataclass(frozen=True, slots=True)
class UnreadLayer:
    """A layer of some image that is shown; `named_diff_id` is what that image says the layer unpacks to."""

    id: int
    registry: str
    repository: str
    digest: str
    named_diff_id: str | None = None
    attempts: int = 1


@dataclass(frozen=True, slots=True)
class UnreadInventory:
    """One platform's image, all of whose layers are known by now."""

    id: int
    digest: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two inventories by their ids: what a base showed on one platform before a move, and after it."""

    id: int
    before: int
    after: int


class LayersPort(Protocol):
    """Registries as far as layers are concerned."""

    def blob(self, registry: str, repository: str, digest: str) -> AsyncGenerator[bytes, None]:
        """A layer in chunks, as it comes. Raises `Failure`, also with any chunk."""
        ...


class InventoryStore(Protocol):
    """Each method is one transaction."""

    def layers(self, platforms: Collection[str]) -> Queue[UnreadLayer]:
        """Layers of images of these platforms that nobody has read."""
        ...

    def inventories(self, platforms: Collection[str]) -> Queue[UnreadInventory]:
        """Images of these platforms whose layers have all been read, and whose packages have not been told."""
        ...

    @property
    def comparisons(self) -> Queue[Comparison]:
        """Moves of bases both of whose sides have been told."""
        ...

    async def layer_unpacked_to(self, diff_id: str) -> LayerContents | None:
        """What a layer with this content says, where one has been read, however it was packed."""
        ...

    async def save_layer(self, layer: UnreadLayer, contents: LayerContents | None, problem: str | None) -> None:
        """Ends the claim; `problem` is why a layer without contents tells nothing, now and for ever."""
        ...

    async def layers_of(self, inventory: UnreadInventory) -> Sequence[LayerContents]:
        """The top layer first; one that tells nothing has its problem alone."""
        ...

    async def save_inventory(self, inventory: UnreadInventory, contents: Inventory) -> None: ...

    async def inventory(self, number: int) -> Inventory: ...

    async def save_comparison(
        self, comparison: Comparison, changes: Sequence[PackageChange], *, is_complete: bool
    ) -> None:
        """`is_complete` says that both sides could be read as a whole."""
        ...


Item = TypeVar("Item")
Result = TypeVar("Result")

_TRIES = 2
"""A blob that is not what its digest names may have been spoilt on its way once."""


@dataclass(frozen=True, slots=True)
class InventoryTally:
    """How many layers were read, images told, and moves of bases compared."""

    layers: int = 0
    images: int = 0
    compared: int = 0
    problems: tuple[str, ...] = ()


async def tick(
    store: InventoryStore, registries: LayersPort, platforms: Collection[str], loop: Loop
) -> InventoryTally:
    """Reads layers, inventories and moves of these platforms that are due; the tally counts each."""
    layers = await loop.run(_Layers(store, registries, platforms))
    inventories = await loop.run(_Inventories(store, platforms))
    comparisons = await loop.run(_Comparisons(store))
    problems = (*layers.problems, *inventories.problems, *comparisons.problems)
    return InventoryTally(layers.done, inventories.done, comparisons.done, problems)


async def read_layer(layer: UnreadLayer, registries: LayersPort) -> LayerContents | str:
    """What the layer says of packages, or why it tells nothing. Raises `Failure` where another try may help."""
    reader = LayerReader(layer.digest)
    async with aclosing(registries.blob(layer.registry, layer.repository, layer.digest)) as chunks:
        async for chunk in chunks:
            try:
                await asyncio.to_thread(reader.feed, chunk)
            except Failure as failure:
                return _reason_refused(layer, failure)
    try:
        return reader.finish()
    except Failure as failure:
        return _reason_refused(layer, failure)


def _reason_refused(layer: UnreadLayer, failure: Failure) -> str:
    if layer.attempts < _TRIES:
        raise failure
    return str(failure)


class _PackageWork(Work[Item, Result]):
    """What cannot be read is shown with the image that it keeps from being told."""

    rests_by_backoff = True

    async def failed(self, item: Item, claimed: Claimed, failure: Failure, now: datetime) -> str | None:
        await put_off_by_backoff(self.queue, claimed, failure, now)
        return None


class _Layers(_PackageWork[UnreadLayer, LayerContents | str]):
    stage = "packages"
    at_once = 2
    most = 500

    def __init__(self, store: InventoryStore, registries: LayersPort, platforms: Collection[str]) -> None:
        self._store = store
        self._registries = registries
        self._queue = store.layers(platforms)

    @property
    def queue(self) -> Queue[UnreadLayer]:
        return self._queue

    def host(self, item: UnreadLayer) -> str:
        return item.registry

    def key(self, item: UnreadLayer) -> object | None:
        """Of layers with the same content only the first is fetched."""
        return item.named_diff_id

    async def attempt(self, item: UnreadLayer, lease: Lease) -> LayerContents | str:
        if item.named_diff_id is not None:
            contents = await self._store.layer_unpacked_to(item.named_diff_id)
            if contents is not None:
                return contents
        return await read_layer(item, self._registries)

    async def settle(self, item: UnreadLayer, result: LayerContents | str) -> None:
        if isinstance(result, str):
            await self._store.save_layer(item, None, result)
        else:
            await self._store.save_layer(item, result, None)


class _Inventories(_PackageWork[UnreadInventory, Inventory]):
    stage = "packages"
    at_once = 1

    def __init__(self, store: InventoryStore, platforms: Collection[str]) -> None:
        self._store = store
        self._queue = store.inventories(platforms)

    @property
    def queue(self) -> Queue[UnreadInventory]:
        return self._queue

    async def attempt(self, item: UnreadInventory, lease: Lease) -> Inventory:
        files, problems = await asyncio.to_thread(overlay, await self._store.layers_of(item))
        return await asyncio.to_thread(packages_in, files, problems)

    async def settle(self, item: UnreadInventory, result: Inventory) -> None:
        await self._store.save_inventory(item, result)


class _Comparisons(_PackageWork[Comparison, tuple[tuple[PackageChange, ...], bool]]):
    stage = "packages"
    at_once = 1

    def __init__(self, store: InventoryStore) -> None:
        self._store = store

    @property
    def queue(self) -> Queue[Comparison]:
        return self._store.comparisons

    async def attempt(self, item: Comparison, lease: Lease) -> tuple[tuple[PackageChange, ...], bool]:
        before, after = await self._store.inventory(item.before), await self._store.inventory(item.after)
        changes = package_changes(before.packages, after.packages)
        return changes, not before.problems and not after.problems

    async def settle(self, item: Comparison, result: tuple[tuple[PackageChange, ...], bool]) -> None:
        changes, is_complete = result
        await self._store.save_comparison(item, changes, is_complete=is_complete)
