"""What the reading of packages needs of registries and of the store."""

from collections.abc import AsyncGenerator, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.domain.packages.changes import PackageChange
from bot.domain.packages.package import Inventory
from bot.images.packages.layers.layer import LayerContents
from bot.reconcile.work import Queue


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
