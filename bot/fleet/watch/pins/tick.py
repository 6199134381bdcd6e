"""One tick: digests that are pinned, and that nobody has seen their bases show, are read; each once."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.bases.observation import Observation
from bot.domain.failure import Failure
from bot.domain.reference import Base
from bot.fleet.watch.pins.reading import read_one_image
from bot.fleet.watch.registry.documents import DocumentsPort
from bot.reconcile.loop import Loop
from bot.reconcile.work import Claimed, Lease, Queue, Work, put_off_by_backoff


@dataclass(frozen=True, slots=True)
class UnreadPin:
    """A digest of one repository in a registry."""

    id: int
    registry: str
    repository: str
    digest: str

    @property
    def base(self) -> Base:
        """Where it is asked for; a digest has no tag."""
        return Base(self.registry, self.repository, "")


class PinsStore(Protocol):
    """Each method is one transaction."""

    @property
    def pins(self) -> Queue[UnreadPin]:
        """Those that were not read yet."""
        ...

    async def find_pins(self) -> None:
        """A row for each digest that is behind what its base shows, and that no observation tells of."""
        ...

    async def save_pin(self, pin: UnreadPin, image: Observation) -> None:
        """Keeps what it says of itself. Raises `LeaseLost`."""
        ...


@dataclass(frozen=True, slots=True)
class PinsTally:
    """How many digests were read, and what hindered others, one line each."""

    read: int = 0
    problems: tuple[str, ...] = ()


async def tick(store: PinsStore, registry: DocumentsPort, loop: Loop) -> PinsTally:
    """Reads what is due of them, at most as many as one run takes."""
    await store.find_pins()
    tally = await loop.run(_Pins(store, registry, loop))
    return PinsTally(tally.done, tuple(tally.problems))


class _Pins(Work[UnreadPin, Observation]):
    stage = "pins"
    batch = 100
    most = 500
    """Of three requests each at most."""
    rests_by_backoff = True

    def __init__(self, store: PinsStore, registry: DocumentsPort, loop: Loop) -> None:
        self._store = store
        self._registry = registry
        self._clock = loop.clock

    @property
    def queue(self) -> Queue[UnreadPin]:
        return self._store.pins

    def host(self, item: UnreadPin) -> str:
        return item.registry

    async def attempt(self, item: UnreadPin, lease: Lease) -> Observation:
        return await read_one_image(self._registry, item.base, item.digest, self._clock)

    async def settle(self, item: UnreadPin, result: Observation) -> None:
        await self._store.save_pin(item, result)

    async def failed(self, item: UnreadPin, claimed: Claimed, failure: Failure, now: datetime) -> str | None:
        """What is pinned and cannot be read is told as such where it is behind: nobody is told besides."""
        await put_off_by_backoff(self.queue, claimed, failure, now)
        return None
