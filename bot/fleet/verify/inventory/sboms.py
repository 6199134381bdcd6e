"""One tick: the registries of the fleet's images are asked for SBOMs, which say what layers may not show.

A build attaches an SBOM after it has pushed the image, so an image without one is asked again a day later.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.failure import Failure
from bot.domain.packages.package import ImagePlace, Sbom
from bot.reconcile.loop import Loop
from bot.reconcile.work import Claimed, Lease, Queue, Work, put_off_by_backoff

_AGAIN = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class SbomLook:
    """An image that is to be asked for SBOMs; `is_last` where it was asked before."""

    id: int
    place: ImagePlace
    is_last: bool = False


class SbomsPort(Protocol):
    """A registry, as far as it has SBOMs beside images."""

    async def sboms(self, place: ImagePlace) -> Sequence[Sbom]:
        """Raises `Failure` where the registry does not say."""
        ...


class SbomStore(Protocol):
    """Each method is one transaction."""

    def looks(self, platforms: Collection[str]) -> Queue[SbomLook]:
        """Images of these platforms that have not been asked."""
        ...

    async def save_sboms(self, look: SbomLook, new_sboms: Sequence[Sbom], again_at: datetime | None) -> None:
        """Ends the claim; what the registry showed before is replaced, what people imported stays."""
        ...


@dataclass(frozen=True, slots=True)
class SbomTally:
    """How many SBOMs were read, and what hindered others, one line each."""

    sboms: int = 0
    problems: tuple[str, ...] = ()


async def tick(store: SbomStore, registries: SbomsPort, platforms: Collection[str], loop: Loop) -> SbomTally:
    """Asks registries for the SBOMs of all images that are due; the tally counts these."""
    looks = _SbomLooks(store, registries, platforms, loop)
    tally = await loop.run(looks)
    return SbomTally(looks.found, tuple(tally.problems))


class _SbomLooks(Work[SbomLook, Sequence[Sbom]]):
    stage = "packages"
    rests_by_backoff = True
    at_once = 2

    def __init__(self, store: SbomStore, registries: SbomsPort, platforms: Collection[str], loop: Loop) -> None:
        self._store = store
        self._registries = registries
        self._queue = store.looks(platforms)
        self._clock = loop.clock
        self.found = 0

    @property
    def queue(self) -> Queue[SbomLook]:
        return self._queue

    def host(self, item: SbomLook) -> str:
        return item.place.registry

    def key(self, item: SbomLook) -> object | None:
        """The images of one index have most of their attestations in common: what one asked, the next need not."""
        return item.place.name, item.place.index

    async def attempt(self, item: SbomLook, lease: Lease) -> Sequence[Sbom]:
        try:
            return await self._registries.sboms(item.place)
        except Failure as failure:
            if failure.trouble.is_passing:
                raise
            return ()

    async def settle(self, item: SbomLook, result: Sequence[Sbom]) -> None:
        is_read = any(each.inventory.packages or not each.inventory.problems for each in result)
        is_asked_again = not is_read and not item.is_last
        again_at = self._clock.now() + _AGAIN if is_asked_again else None
        await self._store.save_sboms(item, result, again_at)
        self.found += len(result)

    async def failed(self, item: SbomLook, claimed: Claimed, failure: Failure, now: datetime) -> str | None:
        """Nothing is concluded, and the layers tell what is inside all the same."""
        await put_off_by_backoff(self.queue, claimed, failure, now)
        return None
