"""One tick: the sources whose turn it is are asked what runs there, and what runs is matched with what is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.failure import Failure
from bot.domain.running.runs import RunningSource
from bot.domain.running.snapshot import Snapshot
from bot.reconcile.loop import Loop
from bot.reconcile.work import Claimed, Lease, Queue, Work, put_off_by_backoff


class Cluster(Protocol):
    """A source that is asked."""

    async def snapshot(self) -> Snapshot:
        """What runs there now. Raises `Failure` where nothing of it could be read."""
        ...


@dataclass(frozen=True, slots=True)
class DueSource:
    """The row of a source that is asked."""

    id: int
    name: str


class RunningStore(Protocol):
    """Each method is one transaction."""

    @property
    def sources(self) -> Queue[DueSource]: ...

    async def follow(self, sources: Sequence[RunningSource]) -> None:
        """Has a row for each of these; what others have told stays until it is old."""
        ...

    async def save_snapshot(self, source: str, snapshot: Snapshot) -> bool:
        """Opens, extends and closes runs; whether it was later than what is known. Raises `Failure` for a source
        that settings do not name."""
        ...

    async def settle_source(self, source: DueSource, due_at: datetime) -> None:
        """Ends the claim. Raises `LeaseLost`."""
        ...

    async def match(self) -> int:
        """Notes what is inside builds that run, as far as it is newly known; of how many."""
        ...

    async def pack_ended(self, moment: datetime) -> int:
        """Packs runs that ended before, of some places; how many."""
        ...

    async def forget_before(self, moment: datetime) -> int:
        """Forgets runs that ended before, with the places and builds that nothing else names; how many runs."""
        ...


_PACKED_AFTER = timedelta(days=1)
"""So that a place where much ends is written once a day."""


async def tick(
    store: RunningStore,
    sources: Sequence[RunningSource],
    clusters: Mapping[str, Cluster],
    keep: timedelta,
    loop: Loop,
) -> tuple[dict[str, int], list[str]]:
    """How many sources were read, builds matched, runs packed and forgotten, and what hindered sources, one line
    each. What is old is forgotten by whole days."""
    await store.follow(sources)
    work = _Asking(store, {each.name: each for each in sources}, clusters, loop)
    tally = await loop.run(work) if clusters else None
    now = loop.clock.now()
    figures = {
        "read": work.read,
        "matched": await store.match(),
        "packed": await store.pack_ended(now - _PACKED_AFTER),
        "forgotten": await store.forget_before((now - keep).replace(hour=0, minute=0, second=0, microsecond=0)),
    }
    return figures, list(tally.problems) if tally is not None else []


class _Asking(Work[DueSource, Snapshot]):
    """The result is what runs there."""

    stage = "running"

    def __init__(
        self,
        store: RunningStore,
        sources: Mapping[str, RunningSource],
        clusters: Mapping[str, Cluster],
        loop: Loop,
    ) -> None:
        self._store = store
        self._sources = sources
        self._clusters = clusters
        self._clock = loop.clock
        self.read = 0

    @property
    def queue(self) -> Queue[DueSource]:
        return self._store.sources

    def host(self, item: DueSource) -> str:
        return item.name

    async def attempt(self, item: DueSource, lease: Lease) -> Snapshot:
        return await self._clusters[item.name].snapshot()

    async def settle(self, item: DueSource, result: Snapshot) -> None:
        await self._store.save_snapshot(item.name, result)
        every = self._sources[item.name].every
        assert every is not None
        await self._store.settle_source(item, self._clock.now() + every)
        self.read += 1

    async def failed(self, item: DueSource, claimed: Claimed, failure: Failure, now: datetime) -> str | None:
        await put_off_by_backoff(self.queue, claimed, failure, now, failure.told)
        return f"what runs in {item.name} is not read: {failure.told}"
