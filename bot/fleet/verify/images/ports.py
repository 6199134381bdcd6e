"""What the looks at images need of registries and of the store."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from bot.domain.bases.image import Head
from bot.domain.bases.observation import NotJudged, Observation, PlatformImage
from bot.domain.images.image import ProducedImage, SeenImage
from bot.domain.images.named_bases import NamedBases, holds_dotnet
from bot.domain.images.standing import LAW, Declaration, ImageStanding, Publication
from bot.domain.reference import Base
from bot.fleet.verify.images.confirming import PublishedPort
from bot.reconcile.work import Queue

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
        self, place: Base, digest: str, named_bases: NamedBases, below: Below = nothing_below
    ) -> SeenImage:
        """What a digest stands for; what is kept of it is not fetched again. `named_bases` are those that the
        image's repository names: labels of theirs, and of what is `below` the image, are not the image's own. Of
        what its provenance names, its base is what they name for the last stage."""
        ...


@dataclass(frozen=True, slots=True)
class Look:
    """An image seen with another digest than before."""

    tag: str
    image: SeenImage
    standings: tuple[ImageStanding, ...]
    unpacked: Mapping[str, str] = field(default_factory=dict)
    """Of layers that were read for that, what they hold."""


@dataclass(frozen=True, slots=True)
class KnownImage:
    """What is needed to say anew what an image stands on. `law` is the edition that judged its `standings`, and for
    which it was read; `runtimes` are the .NET runtimes that its packages hold, by the digest of a platform."""

    id: int
    name: str
    platforms: tuple[PlatformImage, ...]
    declared: Mapping[str, tuple[Declaration, ...]]
    standings: tuple[ImageStanding, ...]
    named_bases: NamedBases
    runtimes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    law: int = LAW
    not_judged: tuple[NotJudged, ...] = ()

    @property
    def brings_a_runtime(self) -> bool:
        """Whether it may bring a .NET of its own, so that what its packages hold is asked: not on Microsoft's."""
        return not self.named_bases.final or not all(map(holds_dotnet, self.named_bases.final))


class ImagesStore(Protocol):
    """Each method is one transaction."""

    @property
    def images(self) -> Queue[ProducedImage]: ...

    async def named_bases(self, image: ProducedImage) -> NamedBases:
        """The bases that the files of its repository say that an image is built from."""
        ...

    async def runtimes_inside(self, digests: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        """The versions of the runtime packs in these platforms of images, as far as their packages are known."""
        ...

    async def unpacked_since(self, last: int) -> Sequence[tuple[int, str, str]]:
        """Layers that were read with a higher id, in its order: id, digest, and the digest of what it holds."""
        ...

    async def record_look(self, image: ProducedImage, look: Look, due_at: datetime) -> None: ...

    async def record_unmoved(self, images: Sequence[ProducedImage], due_at: datetime) -> None: ...

    async def observations_since(self, last: int) -> Sequence[tuple[int, Observation]]:
        """Those with a higher id, oldest first, each with its id."""
        ...

    async def known_images(self, after: int) -> Sequence[KnownImage]:
        """The next images by id that have been seen, so few that they are judged in one go; empty after the
        last."""
        ...

    async def tell_contradictions(self) -> None:
        """Tells people of images whose witnesses contradict each other, once, and once that it is over."""
        ...

    async def save_standings(self, standings: Mapping[int, tuple[ImageStanding, ...]]) -> None: ...
