"""One tick: open rebuilds are looked at until their pull request or run has ended."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.backoff import look_together, rest_at_age
from bot.domain.builder.port import Builder
from bot.domain.clock import Clock
from bot.domain.failure import Failure, Meaning
from bot.domain.forge.port import Forge
from bot.domain.host import Hosts
from bot.domain.repositories.repository import Identity
from bot.domain.rollouts.after_build import leave_run
from bot.domain.rollouts.rebuild import Action, Joined, Rebuild, RebuildState
from bot.fleet.follow.looking import Looks, look_at
from bot.fleet.follow.runs import GONE_AFTER, judged, looks_in_vain
from bot.fleet.follow.together import ServedTogether, answer_of, ask_together
from bot.reconcile.loop import Loop
from bot.reconcile.work import Claimed, Lease, Queue, Work


class FollowStore(Protocol):
    """What following rebuilds asks of the store; each method is one transaction."""

    @property
    def followed(self) -> Queue[Rebuild]:
        """Those with a pull request or a run that has not ended, and those whose pull request was closed lately;
        what is outdated is left to `act`."""
        ...

    async def settle_rebuild(self, before: Rebuild, after: Rebuild, *, succeeded: bool = True) -> None: ...

    async def reopen(self, closed: Rebuild, again: Rebuild) -> None:
        """Ends the claim on a rebuild whose pull request is open again, and has `again` followed in its place.

        Where a later rebuild goes on with its bases it only says so.
        """
        ...

    async def runs_taken(self, home: Identity) -> set[int]: ...


@dataclass(frozen=True, slots=True)
class FollowOptions:
    """`every` is the shortest time between two looks at a rebuild.

    A merged pull request without a build is looked at for `build_within`.
    """

    every: timedelta = timedelta(minutes=5)
    hosts: Hosts = Hosts()  # noqa: RUF009 - frozen
    build_within: timedelta = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class FollowTally:
    """How many rebuilds were looked at, how many ended, and what hindered others."""

    looked_at: int = 0
    ended: int = 0
    problems: tuple[str, ...] = ()


async def tick(
    store: FollowStore, forge: Forge, builder: Builder, options: FollowOptions, loop: Loop
) -> FollowTally:
    """Looks once at every rebuild that is due; one that cannot be read is looked at again later."""
    looks = _RebuildFollowing(store, forge, builder, options, loop)
    tally = await loop.run(looks)
    return FollowTally(tally.done, looks.ended, tuple(tally.problems))


class _RebuildFollowing(Work[Rebuild, Rebuild]):
    """All of a claim are looked at in one or two requests.

    Those of one repository then come one after the other: two may look for the same dispatched run.
    """

    stage = "follow"
    batch = 1_000

    def __init__(
        self, store: FollowStore, forge: Forge, builder: Builder, options: FollowOptions, loop: Loop
    ) -> None:
        self._store = store
        self._forge = forge
        self._builder = builder
        self._options = options
        self._clock = loop.clock
        self.home = options.hosts.whole
        self.ended = 0
        self._looks: dict[int, Looks | Failure] = {}

    @property
    def queue(self) -> Queue[Rebuild]:
        return self._store.followed

    def key(self, item: Rebuild) -> str:
        return item.repository

    def host(self, item: Rebuild) -> str:
        hosts = self._options.hosts
        is_built = item.merge is not None or item.action is Action.DISPATCH
        return hosts.builder.of(item.build_home) if is_built else hosts.forge.of(item.identity)

    async def prepare(self, host: str, items: Sequence[Rebuild]) -> None:
        """Looks at those together who are served together: where some cannot be told, others are."""

        async def looks_at(group: ServedTogether[Rebuild]) -> Looks:
            within = self._options.build_within
            parts = (group.items, self._store, group.forge, group.builder, self._clock)
            return await look_at(*parts, build_within=within)

        self._looks |= await ask_together(items, lambda item: item.build_home, self._forge, self._builder, looks_at)

    async def attempt(self, item: Rebuild, lease: Lease) -> Rebuild:
        return await answer_of(self._looks.pop(item.id)).after(item)

    async def settle(self, item: Rebuild, result: Rebuild) -> None:
        if item.state.has_ended and not result.state.has_ended:
            await self._store.reopen(self._due_again(item, item), result)
            return
        await self._store.settle_rebuild(item, self._due_again(item, result))
        self.ended += result.state.has_ended and not item.state.has_ended

    async def failed(self, item: Rebuild, claimed: Claimed, failure: Failure, now: datetime) -> str:
        item = replace(item, looks_in_vain=looks_in_vain(item.looks_in_vain, failure))
        is_built = item.merge is not None or item.action is Action.DISPATCH
        asked, place = (self._builder, item.build_home) if is_built else (self._forge, item.identity)
        failure = await judged(failure, item.looks_in_vain, place, asked)
        after = self._due_again(item, _after_failed_look(item, failure, self._clock))
        await self._store.settle_rebuild(item, after, succeeded=False)
        self.ended += after.state.has_ended and not item.state.has_ended
        return f"{item.repository}: {failure}"

    def _due_again(self, before: Rebuild, after: Rebuild) -> Rebuild:
        now, every = self._clock.now(), self._options.every
        if after.state.has_ended:
            return replace(after, due_at=now + rest_at_age(now - (after.ended_at or now), every))
        due = look_together(now + _rest(before, every, now), every)
        is_just_merged = before.state is not RebuildState.BUILDING and after.state is RebuildState.BUILDING
        is_for_act = _is_left_to_act(after) and not _is_left_to_act(before)
        is_at_once = is_for_act or is_just_merged or after.state is RebuildState.PROVING
        return replace(after, due_at=now if is_at_once else due)


def _rest(rebuild: Rebuild, follow_every: timedelta, now: datetime) -> timedelta:
    """Returns the time to the next look: short for a run, ever longer for a pull request that has waited long."""
    if rebuild.state is not RebuildState.OPEN:
        return follow_every
    return rest_at_age(rebuild.age(now), follow_every)


def _after_failed_look(before: Rebuild, failure: Failure, clock: Clock) -> Rebuild:
    """A run of others that is not shown is followed no more, which ends nothing: it is begun anew."""
    if before.follows_others and before.looks_in_vain >= GONE_AFTER:
        return leave_run(before, "it is no longer there", Joined.GONE, now=clock.now())
    if failure.meaning is Meaning.GONE:
        is_open = before.state is RebuildState.OPEN
        subject = "the pull request" if is_open else "the merge commit" if before.merge else "the run"
        return before.moved(RebuildState.CANCELLED, f"{subject} is no longer there", at=clock.now())
    return before


def _is_left_to_act(rebuild: Rebuild) -> bool:
    """What is outdated, `act` brings to the default branch as it is now: its text, and the edits of its branch."""
    return rebuild.state is RebuildState.OPEN and rebuild.facts_version > rebuild.text_version
