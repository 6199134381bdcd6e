"""One tick: the next window of each source's past is asked for, from the earliest to its own first list."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.failure import Failure
from bot.domain.running.backfill import SampledWindow, window_after
from bot.reconcile.loop import Loop
from bot.reconcile.work import Claimed, Lease, Queue, Work, put_off_by_backoff

PACE = timedelta(minutes=1)
"""From one window of a source to the next."""


@dataclass(frozen=True, slots=True)
class DueBackfill:
    """The past of a source, which told first at `first_at` itself, read up to `read_to`."""

    id: int
    source: str
    first_at: datetime
    read_to: datetime


class PastPort(Protocol):
    """Whoever has kept what ran in a source."""

    async def window(self, since: datetime, until: datetime) -> SampledWindow:
        """What ran at the moments of the grid from `since` to `until`. Raises `Failure`."""
        ...


class BackfillStore(Protocol):
    """Each method is one transaction."""

    async def follow(self, reaches: Mapping[str, timedelta]) -> None:
        """Has a row for each of these sources that has told what runs; so far back its past is asked for."""
        ...

    def due(self, sources: Mapping[str, object]) -> Queue[DueBackfill]:
        """The pasts of these sources that are not read to their end."""
        ...

    async def save_window(self, backfill: DueBackfill, window: SampledWindow | None, due_at: datetime) -> None:
        """Keeps what a window tells, and ends the claim; for good without one, since nothing is left to ask for.
        Raises `LeaseLost`."""
        ...


async def tick(
    store: BackfillStore, reaches: Mapping[str, timedelta], pasts: Mapping[str, PastPort], loop: Loop
) -> tuple[int, list[str]]:
    """How many windows were read, and what hindered others, one line each."""
    await store.follow(reaches)
    work = _Asking(store, pasts, loop)
    tally = await loop.run(work)
    return work.read, list(tally.problems)


class _Asking(Work[DueBackfill, SampledWindow | None]):
    """The result is what a window tells, None where none is left."""

    stage = "running"

    def __init__(self, store: BackfillStore, pasts: Mapping[str, PastPort], loop: Loop) -> None:
        self._store = store
        self._pasts = pasts
        self._clock = loop.clock
        self.read = 0

    @property
    def queue(self) -> Queue[DueBackfill]:
        return self._store.due(self._pasts)

    def host(self, item: DueBackfill) -> str:
        return f"past of {item.source}"

    async def attempt(self, item: DueBackfill, lease: Lease) -> SampledWindow | None:
        window = window_after(item.read_to, item.first_at)
        return None if window is None else await self._pasts[item.source].window(*window)

    async def settle(self, item: DueBackfill, result: SampledWindow | None) -> None:
        await self._store.save_window(item, result, self._clock.now() + PACE)
        self.read += result is not None

    async def failed(self, item: DueBackfill, claimed: Claimed, failure: Failure, now: datetime) -> str | None:
        await put_off_by_backoff(self.queue, claimed, failure, now, failure.told)
        return f"what ran in {item.source} before is not read: {failure.told}"
