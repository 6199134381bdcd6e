"""One tick: what is inside builds that run and that no image of the fleet tells of is asked of their registries."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.bases.observation import PlatformImage
from bot.domain.failure import Failure, Meaning
from bot.domain.reference import Base
from bot.reconcile.loop import Loop
from bot.reconcile.work import Claimed, Lease, Queue, Work, put_off_by_backoff


@dataclass(frozen=True, slots=True)
class UnreadBuild:
    """A digest that runs, and the registry and repository by whose names it does."""

    id: int
    build: int
    digest: str
    registry: str
    repository: str


class BuildsPort(Protocol):
    """Registries as far as digests are concerned."""

    async def platforms(self, place: Base, digest: str) -> Sequence[PlatformImage]:
        """The images of all platforms that a digest stands for. Raises `Failure`."""
        ...


class ReadingStore(Protocol):
    """Each method is one transaction."""

    async def want_builds(self, hosts: Collection[str]) -> int:
        """Has builds read that run and of which nothing is known, as far as these hosts serve them; how many."""
        ...

    @property
    def unread(self) -> Queue[UnreadBuild]: ...

    async def save_build(self, build: UnreadBuild, platforms: Sequence[PlatformImage], error: str | None) -> None:
        """Ends the claim for good, and has the packages of these platforms read; `error` says why there are none.
        Raises `LeaseLost`."""
        ...


async def tick(
    store: ReadingStore, registries: BuildsPort, hosts: Collection[str], loop: Loop
) -> tuple[int, list[str]]:
    """How many builds were read, and what hindered others, one line each."""
    await store.want_builds(hosts)
    reading = _Reading(store, registries, loop)
    tally = await loop.run(reading)
    return reading.read, list(tally.problems)


class _Reading(Work[UnreadBuild, Sequence[PlatformImage]]):
    """What a registry lacks is asked for again, ever more rarely, as long as it runs; what is no image is not."""

    stage = "running"
    rests_by_backoff = True

    def __init__(self, store: ReadingStore, registries: BuildsPort, loop: Loop) -> None:
        self._store = store
        self._registries = registries
        self.read = 0

    @property
    def queue(self) -> Queue[UnreadBuild]:
        return self._store.unread

    def host(self, item: UnreadBuild) -> str:
        return item.registry

    async def attempt(self, item: UnreadBuild, lease: Lease) -> Sequence[PlatformImage]:
        return await self._registries.platforms(Base(item.registry, item.repository, "latest"), item.digest)

    async def settle(self, item: UnreadBuild, result: Sequence[PlatformImage]) -> None:
        await self._store.save_build(item, result, None)
        self.read += 1

    async def failed(self, item: UnreadBuild, claimed: Claimed, failure: Failure, now: datetime) -> str | None:
        if failure.meaning is Meaning.OURS:
            await self._store.save_build(item, (), failure.told)
        else:
            await put_off_by_backoff(self.queue, claimed, failure, now, failure.told)
        return f"what is inside {item.registry}/{item.repository}@{item.digest[:19]}… is not read: {failure.told}"
