"""One tick: open rebuilds are looked at until their pull request or run has ended."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.backoff import rest_at_age
from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.domain.forge import CLOCKS_DIFFER_BY, PullRequest, Run, dispatched_run
from bot.domain.rebuild import Action, Rebuild, State
from bot.reconcile.loop import Loop
from bot.reconcile.work import Claimed, Lease, Queue, Work

_GONE_AFTER = 12
"""Looks in a row that found nothing: GitHub answers 404 as well where the right to see was lost."""
_LOST_AFTER = timedelta(hours=1)
"""A dispatched run that never showed up for so long did not start."""


class FollowStore(Protocol):
    @property
    def followed(self) -> Queue[Rebuild]:
        """Those with a pull request or a run that has not ended; what is outdated is left to `act`."""
        ...

    async def settle_rebuild(self, before: Rebuild, after: Rebuild, *, succeeded: bool = True) -> None: ...

    async def runs_taken(self, repository: str) -> set[int]: ...


class Host(Protocol):
    async def pull_request(self, repository: str, number: int) -> PullRequest: ...

    async def run(self, repository: str, run: int) -> Run: ...

    async def dispatched_runs(
        self, repository: str, workflow: str, *, branch: str | None, since: datetime
    ) -> list[Run]: ...


@dataclass(frozen=True, slots=True)
class FollowOptions:
    """`every` is the shortest time between two looks at a rebuild, `host` the forge's name."""

    every: timedelta = timedelta(minutes=5)
    host: str = "github"


@dataclass(frozen=True, slots=True)
class FollowTally:
    looked_at: int = 0
    ended: int = 0
    problems: tuple[str, ...] = ()


async def tick(store: FollowStore, host: Host, options: FollowOptions, loop: Loop) -> FollowTally:
    """Looks once at every rebuild that is due; one that cannot be read is looked at again later."""
    looks = _Looks(store, host, options, loop)
    tally = await loop.run(looks)
    return FollowTally(tally.done, looks.ended, tuple(tally.problems))


class _Looks(Work[Rebuild, Rebuild]):
    """Those of one repository one after the other: two may look for the same dispatched run."""

    stage = "follow"

    def __init__(self, store: FollowStore, host: Host, options: FollowOptions, loop: Loop) -> None:
        self._store = store
        self._host = host
        self._every = options.every
        self._clock = loop.clock
        self.home = options.host
        self.ended = 0

    @property
    def queue(self) -> Queue[Rebuild]:
        return self._store.followed

    def key(self, item: Rebuild) -> str:
        return item.repository

    async def attempt(self, item: Rebuild, lease: Lease) -> Rebuild:
        return await look(item, self._store, self._host, self._clock)

    async def settle(self, item: Rebuild, result: Rebuild) -> None:
        await self._store.settle_rebuild(item, self._due_again(item, result))
        self.ended += result.state.has_ended

    async def failed(self, item: Rebuild, claimed: Claimed, failure: Failure, now: datetime) -> str:
        after = self._due_again(item, _unread(item, failure, self._clock))
        await self._store.settle_rebuild(item, after, succeeded=False)
        self.ended += after.state.has_ended
        return f"{item.repository}: {failure}"

    def _due_again(self, before: Rebuild, after: Rebuild) -> Rebuild:
        if after.state.has_ended:
            return after
        now = self._clock.now()
        return replace(after, due_at=now if _is_left_to_act(after) else now + _rest(before, self._every, now))


def _rest(rebuild: Rebuild, follow_every: timedelta, now: datetime) -> timedelta:
    """Runs end soon; a pull request that has waited long is looked at less and less often."""
    if rebuild.action is not Action.PULL_REQUEST:
        return follow_every
    return rest_at_age(rebuild.age(now), follow_every)


def _unread(before: Rebuild, failure: Failure, clock: Clock) -> Rebuild:
    if failure.trouble is Trouble.MISSING and before.attempts >= _GONE_AFTER:
        what = "the pull request" if before.action is Action.PULL_REQUEST else "the run"
        return before.moved(State.CANCELLED, f"{what} is no longer there", at=clock.now())
    return before


async def look(rebuild: Rebuild, store: FollowStore, host: Host, clock: Clock) -> Rebuild:
    if rebuild.action is Action.PULL_REQUEST:
        assert rebuild.pull_request is not None
        request = await host.pull_request(rebuild.repository, rebuild.pull_request)
        return _after_request(rebuild, request, clock.now())
    if rebuild.run is None:
        return await _search(rebuild, store, host, clock)
    return after_run(rebuild, await host.run(rebuild.repository, rebuild.run), clock.now())


def _after_request(rebuild: Rebuild, request: PullRequest, now: datetime) -> Rebuild:
    if request.is_merged:
        return rebuild.moved(State.SUCCEEDED, f"pull request #{request.number} was merged", at=now)
    if not request.is_open:
        return rebuild.moved(State.CANCELLED, f"pull request #{request.number} was closed unmerged", at=now)
    if request.is_conflicted:
        return replace(rebuild, text_version=rebuild.facts_version - 1)
    return rebuild


def _is_left_to_act(rebuild: Rebuild) -> bool:
    """What is outdated, `act` brings to the default branch as it is now: its text, and the edits of its branch."""
    return rebuild.state is State.OPEN and rebuild.facts_version > rebuild.text_version


async def _search(rebuild: Rebuild, store: FollowStore, host: Host, clock: Clock) -> Rebuild:
    """A host that told no run id at dispatch."""
    started = rebuild.attempted_at or rebuild.planned_at
    runs = await host.dispatched_runs(
        rebuild.repository, rebuild.workflow or "", branch=None, since=started - CLOCKS_DIFFER_BY
    )
    run = dispatched_run(runs, await store.runs_taken(rebuild.repository), rebuild.correlation)
    if run is not None:
        return after_run(replace(rebuild, run=run.id), run, clock.now())
    if clock.now() - started > _LOST_AFTER:
        return rebuild.moved(State.FAILED, "the dispatched run never appeared", at=clock.now())
    return rebuild


def after_run(rebuild: Rebuild, run: Run, now: datetime) -> Rebuild:
    """`queued` is still dispatched; GitHub's conclusions other than success and neutral are failures."""
    rebuild = replace(rebuild, url=run.url or rebuild.url)
    if run.has_concluded:
        if run.conclusion in ("success", "neutral"):
            return rebuild.moved(State.SUCCEEDED, f"the run concluded with {run.conclusion}", at=now)
        if run.conclusion == "cancelled":
            return rebuild.moved(State.CANCELLED, "the run was cancelled", at=now)
        return rebuild.moved(State.FAILED, f"the run concluded with {run.conclusion}", at=now)
    if run.status == "in_progress":
        return rebuild.moved(State.RUNNING, "the run is under way", at=now)
    return rebuild
