"""One tick: what runs is compared with what rebuilds have built, until that runs wherever it is to run."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.backoff import look_together
from bot.domain.clock import Clock
from bot.domain.failure import Failure
from bot.domain.rollouts.arriving import Arrival, after_look
from bot.domain.rollouts.steps import StepJob, StepRun
from bot.fleet.follow.steps.tick import StepFollowTally
from bot.reconcile.loop import Loop
from bot.reconcile.work import Claimed, Lease, Queue, Work


class ArrivalStore(Protocol):
    """What following what runs asks of the store; each method is one transaction."""

    @property
    def arriving(self) -> Queue[StepJob]:
        """The steps whose turn has come, and that what runs decides."""
        ...

    async def arrivals(self, environment: str, jobs: Sequence[StepJob]) -> Mapping[int, Arrival]:
        """The steps, by their ids, with what runs of their images in the environment."""
        ...

    async def settle_step(self, before: StepRun, after: StepRun, *, succeeded: bool = True) -> None:
        """Ends the claim; the rebuild moves with its step."""
        ...


async def tick(store: ArrivalStore, every: timedelta, loop: Loop) -> StepFollowTally:
    """Looks once at every step that is due; what runs in an environment is read once for all of its steps."""
    looks = _Arriving(store, every, loop.clock)
    tally = await loop.run(looks)
    return StepFollowTally(tally.done, looks.ended, tuple(tally.problems))


class _Arriving(Work[StepJob, StepRun]):
    """A look at which a source does not tell all counts as one in vain, and takes nothing of the step's time."""

    stage = "follow steps"
    batch = 1_000

    def __init__(self, store: ArrivalStore, every: timedelta, clock: Clock) -> None:
        self._store = store
        self._every = every
        self._clock = clock
        self._arrivals: dict[int, Arrival] = {}
        self.ended = 0

    @property
    def queue(self) -> Queue[StepJob]:
        return self._store.arriving

    def host(self, item: StepJob) -> str:
        return item.step.step.environment or ""

    async def prepare(self, host: str, items: Sequence[StepJob]) -> None:
        self._arrivals |= await self._store.arrivals(host, items)

    async def attempt(self, item: StepJob, lease: Lease) -> StepRun:
        now, arrival = self._clock.now(), self._arrivals[item.step.id]
        return after_look(replace(arrival, step=item.step.begun(now)), now)

    async def settle(self, item: StepJob, result: StepRun) -> None:
        arrival, after = self._arrivals.pop(item.step.id), result
        is_known = result.state.has_ended or not arrival.hole
        if not result.state.has_ended:
            due_at = look_together(self._clock.now() + self._every, self._every)
            after = replace(result, due_at=due_at) if is_known else result.put_off(due_at)
        await self._store.settle_step(item.step, after, succeeded=is_known)
        self.ended += result.state.has_ended

    async def failed(self, item: StepJob, claimed: Claimed, failure: Failure, now: datetime) -> str:
        after = item.step.begun(now).put_off(now + self._every)
        await self._store.settle_step(item.step, after, succeeded=False)
        return f"{item.own}: step {item.step.step.name}: {failure}"
