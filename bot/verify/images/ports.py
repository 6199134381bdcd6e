"""What the looks at images need of registries and of the store."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.bases.image import Head
from bot.domain.bases.observation import NotJudged, Observation, PlatformImage
from bot.domain.images.image import ProducedImage, SeenImage
from bot.domain.images.standing import Declaration, ImageStanding, Publication
from bot.domain.reference import Base
from bot.reconcile.work import Queue
from bot.verify.images.confirming import PublishedPort

Below = Callable[[PlatformImage], Sequence[Publication]]
"""What one platform of an image stands on by its layers."""


def nothing_below(image: PlatformImage) -> Sequence[Publication]:
    """Where it does not matter what an image stands on."""
    return ()


class ImagesPort(PublishedPort, Protocol):
    """Registries as far as images are concerned; every method raises `Failure`."""

    async def head(self, base: Base) -> Head: ...

    async def tags(self, registry: str, repository: str) -> Sequence[str]: ...

    def wants_provenance(self, name: str) -> bool:
        """Whether somebody is trusted to sign the provenance of `registry/repository`."""
        ...

    async def read(
        self, place: Base, digest: str, expected: Collection[Base], below: Below = nothing_below
    ) -> SeenImage:
        """What a digest stands for; what is kept of it is not fetched again. `expected` are the bases that the
        image's repository names: their labels, and those of what is `below` the image, are not the image's own."""
        ...


@dataclass(frozen=True, slots=True)
class Look:
    """An image seen with another digest than before."""

    found: str
    seen: SeenImage
    standings: tuple[ImageStanding, ...]


@dataclass(frozen=True, slots=True)
class KnownImage:
    """What is needed to say anew what an image stands on."""

    id: int
    name: str
    platforms: tuple[PlatformImage, ...]
    declared: Mapping[str, tuple[Declaration, ...]]
    standings: tuple[ImageStanding, ...]
    expected: tuple[Base, ...]
    not_judged: tuple[NotJudged, ...] = ()


class ImagesStore(Protocol):
    """Each method is one transaction."""

    @property
    def images(self) -> Queue[ProducedImage]: ...

    async def expected_bases(self, repository_id: int) -> tuple[Base, ...]:
        """The bases that a repository's files name."""
        ...

    async def record_look(self, image: ProducedImage, look: Look, due_at: datetime) -> None: ...

    async def record_unmoved(self, images: Sequence[ProducedImage], due_at: datetime) -> None: ...

    async def observations_since(self, last: int) -> Sequence[tuple[int, Observation]]:
        """Those with a higher id, oldest first, each with its id."""
        ...

    async def known_images(self, after: int) -> Sequence[KnownImage]:
        """The next images by id that have been seen; empty after the last."""
        ...

    async def save_standings(self, standings: Mapping[int, tuple[ImageStanding, ...]]) -> None: ...
