"""One tick: steps that run, or that start by themselves, are looked at until they have ended."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from bot.domain.backoff import look_together
from bot.domain.builder.port import Builder
from bot.domain.builder.runs import CLOCKS_DIFFER_BY, FollowedRuns, Run, RunState, dispatched_run, sought_since
from bot.domain.clock import Clock
from bot.domain.failure import Failure, Meaning, Trouble
from bot.domain.forge.port import Forge
from bot.domain.repositories.repository import Identity
from bot.domain.rollouts.steps import StepRun, StepState, after_step_run, may_be_observed, too_late
from bot.domain.rollouts.terms import Start
from bot.fleet.follow.runs import explained, has_not_started, judged, looks_in_vain, newer_run
from bot.fleet.follow.tick import FollowOptions
from bot.fleet.follow.together import ServedTogether, answer_of, ask_together
from bot.reconcile.loop import Loop
from bot.reconcile.work import Claimed, Lease, Queue, Work


class StepFollowStore(Protocol):
    """What following steps asks of the store; each method is one transaction."""

    @property
    def going(self) -> Queue[StepRun]:
        """Those that were started, and those that start by themselves and whose turn has come."""
        ...

    async def settle_step(self, before: StepRun, after: StepRun, *, succeeded: bool = True) -> None:
        """Ends the claim; the rebuild moves with its step."""
        ...

    async def runs_taken(self, home: Identity) -> set[int]: ...

    async def runs_of(self, rebuild: int, home: Identity) -> set[int]:
        """The runs of one rebuild and of its steps, of those that are shown where `home` is asked."""
        ...


@dataclass(frozen=True, slots=True)
class StepFollowTally:
    """How many steps were looked at, how many ended, and what hindered others."""

    looked_at: int = 0
    ended: int = 0
    problems: tuple[str, ...] = ()

    def __add__(self, other: "StepFollowTally") -> "StepFollowTally":
        problems = (*self.problems, *other.problems)
        return StepFollowTally(self.looked_at + other.looked_at, self.ended + other.ended, problems)


async def tick(
    store: StepFollowStore, forge: Forge, builder: Builder, options: FollowOptions, loop: Loop
) -> StepFollowTally:
    """Looks once at every step that is due; those whose runs are known are asked for together."""
    looks = _StepFollowing(store, forge, builder, options, loop.clock)
    tally = await loop.run(looks)
    return StepFollowTally(tally.done, looks.ended, tuple(tally.problems))


class _StepFollowing(Work[StepRun, StepRun]):
    """Those of one repository come one after the other: two may look for the same run.

    What is due is claimed, and put off, while the forge pauses too, so that its time does not run.
    """

    stage = "follow steps"
    batch = 1_000

    def __init__(
        self, store: StepFollowStore, forge: Forge, builder: Builder, options: FollowOptions, clock: Clock
    ) -> None:
        self._store = store
        self._forge = forge
        self._builder = builder
        self._options = options
        self._every = options.every
        self._clock = clock
        self.ended = 0
        self._followed: dict[int, FollowedRuns | Failure] = {}

    @property
    def queue(self) -> Queue[StepRun]:
        return self._store.going

    def key(self, item: StepRun) -> str:
        return item.home.name

    def host(self, item: StepRun) -> str:
        hosts = self._options.hosts
        return hosts.forge.of(item.home) if item.branch is None else hosts.builder.of(item.build_home)

    async def prepare(self, host: str, items: Sequence[StepRun]) -> None:
        """Asks for the runs of those together who are served together: where some cannot be told, others are."""

        async def runs_of(group: ServedTogether[StepRun]) -> FollowedRuns:
            return await group.builder.follow_runs([item.node_id or "" for item in group.items])

        known = [item for item in items if item.node_id is not None]
        self._followed |= await ask_together(
            known, lambda item: item.build_home, self._forge, self._builder, runs_of
        )

    async def attempt(self, item: StepRun, lease: Lease) -> StepRun:
        followed = answer_of(self._followed.pop(item.id, FollowedRuns()))
        after = await self._move_on(item, followed)
        if after.state is not StepState.FAILED or after.run is None:
            return after
        return replace(after, reason=await explained(self._builder, after.build_home, after.run, after.reason))

    async def _move_on(self, item: StepRun, followed: FollowedRuns) -> StepRun:
        step = item.begun(self._clock.now())
        if step.run is None:
            return await self._search_run(step)
        if step.node_id is None or step.node_id in followed.unseen:
            run = await self._builder.run(step.build_home, step.run)
            return await self._after_finding(step, run)
        state = followed.states.get(step.node_id)
        if state is None:
            raise Failure(
                Trouble.MISSING,
                f"run {step.run} is not shown any more",
                where=step.home.name,
                advice="check that the credentials may see the repository",
            )
        return await self._after_ended_run(step, state)

    async def _search_run(self, step: StepRun) -> StepRun:
        now, step = self._clock.now(), await self._on_its_branch(step)
        run = await (self._find_observed(step) if step.step.start is Start.OBSERVE else self._find_dispatched(step))
        if run is not None:
            return await self._after_finding(step, run)
        if step.state is StepState.STARTED and has_not_started(step.attempted_at or now, step.dispatches, now):
            return step.moved(StepState.FAILED, "the dispatched run never appeared", at=now)
        reason = step.reason if step.state is StepState.STARTED else f"{step.workflow} has not started yet"
        waiting_step = replace(step, reason=reason)
        return too_late(waiting_step, now) or waiting_step

    async def _on_its_branch(self, step: StepRun) -> StepRun:
        """The step with the default branch of a repository that is not one of the fleet. Raises `Failure`."""
        if step.branch is not None:
            return step
        word = (await self._forge.standings([step.home])).get(step.home)
        if word is None or word.default_branch is None:
            advice = "check that the credentials may see it, and that it has a default branch"
            raise Failure(Trouble.MISSING, "its default branch is not shown", where=step.home.name, advice=advice)
        return replace(step, branch=word.default_branch)

    async def _find_dispatched(self, step: StepRun) -> Run | None:
        asked_at = step.attempted_at or self._clock.now()
        since = sought_since(asked_at)
        runs = await self._builder.dispatched_runs(step.build_home, step.workflow, branch=step.branch, since=since)
        return dispatched_run(runs, await self._store.runs_taken(step.build_home), step.correlation, asked_at)

    async def _find_observed(self, step: StepRun) -> Run | None:
        """The first run that the built commit, or a later one that contains it, has brought about.

        It may serve several rebuilds that it contains. Where the workflow is in another repository, nothing tells
        which rebuild a run is for: then each run is one rebuild's.
        """
        since = (step.since or step.began_at or self._clock.now()) - CLOCKS_DIFFER_BY
        runs = await self._builder.started_runs(step.build_home, step.workflow, branch=step.branch, since=since)
        is_own = step.commit is not None
        taken_runs = await (
            self._store.runs_of(step.rebuild, step.build_home)
            if is_own
            else self._store.runs_taken(step.build_home)
        )
        contained: dict[str | None, bool] = {None: False, step.commit: True}
        for run in runs:
            if run.id in taken_runs or not may_be_observed(step, run):
                continue
            if step.commit is not None and run.commit is not None and run.commit not in contained:
                contained[run.commit] = await self._forge.contains(step.home, run.commit, step.commit)
            if step.commit is None or contained[run.commit]:
                return run
        return None

    async def _after_ended_run(self, step: StepRun, state: RunState) -> StepRun:
        """The step after its run, or after the one that took its place where it was cancelled for that."""
        now = self._clock.now()
        if state.conclusion != "cancelled" or step.run is None:
            return after_step_run(step, state, now)
        began = step.attempted_at or step.since or now
        newer = await newer_run(self._builder, step.build_home, step.workflow, step.run, began)
        if newer is None:
            return after_step_run(step, state, now)
        followed_step = replace(step, run=newer.id, node_id=newer.node_id, url=newer.url or step.url)
        after = after_step_run(followed_step, newer.state, now)
        return replace(after, reason=f"a newer run took its place: {after.reason}")

    async def _after_finding(self, step: StepRun, run: Run) -> StepRun:
        now = self._clock.now()
        with_run = replace(step, run=run.id, node_id=run.node_id, url=run.url or step.url)
        if with_run.state is StepState.DUE:
            with_run = with_run.moved(StepState.STARTED, f"{step.workflow} has started", at=now)
        return await self._after_ended_run(with_run, run.state)

    async def settle(self, item: StepRun, result: StepRun) -> None:
        await self._store.settle_step(item, self._due_again(result))
        self.ended += result.state.has_ended

    async def failed(self, item: StepRun, claimed: Claimed, failure: Failure, now: datetime) -> str:
        item = replace(item, looks_in_vain=looks_in_vain(item.looks_in_vain, failure))
        asked, place = (self._forge, item.home) if item.branch is None else (self._builder, item.build_home)
        failure = await judged(failure, item.looks_in_vain, place, asked)
        after = self._after_failed_look(item, failure, now)
        await self._store.settle_step(item, after, succeeded=False)
        self.ended += after.state.has_ended
        return f"{item.home}: step {item.step.name}: {failure}"

    def _after_failed_look(self, item: StepRun, failure: Failure, now: datetime) -> StepRun:
        """The step after a look that showed nothing."""
        step = replace(item.begun(now), refused=failure.meaning is Meaning.REFUSED)
        after = self._due_again(step)
        if failure.meaning is Meaning.GONE and after.run is not None:
            return after.moved(StepState.FAILED, "its run is no longer there", at=now)
        if after.state is StepState.APPROVAL:
            return after
        if failure.meaning.may_end_work:
            return too_late(after, now) or after
        return step.put_off(after.due_at)

    def _due_again(self, after: StepRun) -> StepRun:
        now = self._clock.now()
        return (
            after if after.state.has_ended else replace(after, due_at=look_together(now + self._every, self._every))
        )
