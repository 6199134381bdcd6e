"""Steps are planned with their rebuild, begin with its green build, and move it along in one transaction."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.domain.failure import Failure, LeaseLost, Trouble
from bot.domain.repositories.repository import Identity
from bot.domain.rollouts.journal import Word
from bot.domain.rollouts.rebuild import Rebuild, RebuildState
from bot.domain.rollouts.steps import StepRun, StepState
from bot.domain.rollouts.terms import Start
from bot.files.formats.workflows.dispatchable import dispatchable
from bot.fleet.act.steps.tick import StepOptions
from bot.fleet.act.steps.tick import tick as start_steps
from bot.fleet.follow.steps.tick import tick as follow_steps
from bot.fleet.follow.tick import FollowOptions
from bot.reconcile.loop import Loop
from bot.store.rows.rollouts.step_store import StepStore
from bot.store.rows.rollouts.steps import steps
from tests.fakes.forge import FakeForge
from tests.integration.store.conftest import ON_BOTH
from tests.integration.store.filling import HOUR, Stores
from tests.integration.store.stepping import COMMIT, STEPS, built

ANN = Word("Ann", "we look first")
DEPLOY = b"on: {workflow_dispatch: {}}\njobs: {}\n"


async def to_start(stores: Stores) -> list[StepRun]:
    return [job.step for job in await stores.taken(stores.steps.to_start)]


async def moved(stores: Stores, step: StepRun, state: StepState, **values: Any) -> None:
    after = step.moved(state, str(state), at=stores.clock.now())
    await stores.steps.settle_step(step, replace(after, **values))


async def shop(stores: Stores, number: int = 1) -> Rebuild:
    return next(rebuild for rebuild in await stores.rollout_views.rebuilds_of(1) if rebuild.id == number)


async def test_looks_that_found_nothing_are_counted_until_one_finds_something(stores: Stores) -> None:
    await built(stores)
    [first] = await to_start(stores)
    await moved(stores, first, StepState.STARTED, run=77)
    counted = []
    for succeeded in (False, True, False):
        [going] = await stores.taken(stores.steps.going)
        after = replace(going, looks_in_vain=going.looks_in_vain + 1)
        await stores.steps.settle_step(going, after, succeeded=succeeded)
        counted.append(going.looks_in_vain)
    assert counted == [0, 1, 0]


async def test_refusals_are_counted_until_an_attempt_goes_through(stores: Stores) -> None:
    await built(stores)
    counted = []
    for succeeded in (False, True, False):
        [first] = await to_start(stores)
        after = replace(first, refusals=first.refusals + 1)
        await stores.steps.settle_step(first, after, succeeded=succeeded)
        counted.append(first.refusals)
    assert counted == [0, 1, 0]


async def test_steps_wait_for_the_build_and_then_each_for_the_one_before(stores: Stores) -> None:
    await built(stores, 2)
    assert await stores.column(steps, "state") == ["due", "planned", "planned"] * 2
    first, other = await to_start(stores)
    assert (first.step, first.home.name, other.home.name) == (STEPS[0], "contoso/shop-0000", "contoso/shop-0001")
    await moved(stores, first, StepState.STARTED, run=77)
    [going] = await stores.taken(stores.steps.going)
    await moved(stores, going, StepState.SUCCEEDED)
    assert await stores.column(steps, "state") == ["succeeded", "due", "planned", "due", "planned", "planned"]
    assert (await shop(stores)).reason == "step canary succeeded; load is next"
    [observed] = await stores.taken(stores.steps.going)
    assert (observed.step.start, observed.since) == (Start.OBSERVE, going.began_at)
    await moved(stores, observed, StepState.SUCCEEDED)
    [last] = await to_start(stores)
    assert last.home.name == "contoso/rollouts"
    await moved(stores, last, StepState.SUCCEEDED)
    assert (await shop(stores)).state is RebuildState.SUCCEEDED


async def test_a_failed_step_ends_its_rebuild_and_no_other(stores: Stores) -> None:
    await built(stores, 2)
    first, _ = await to_start(stores)
    await moved(stores, first, StepState.FAILED)
    assert [(await shop(stores, number)).state for number in (1, 2)] == [RebuildState.FAILED, RebuildState.STEPPING]
    assert await stores.column(steps, "state") == ["failed", "planned", "planned", "due", "planned", "planned"]


async def test_a_paused_rollout_starts_no_step_and_what_runs_is_followed(stores: Stores) -> None:
    await built(stores)
    await stores.orders.pause(1, ANN)
    assert await to_start(stores) == []
    await stores.orders.resume(1, ANN)
    [step] = await to_start(stores)
    await moved(stores, step, StepState.STARTED)
    await stores.orders.pause(None, ANN)
    assert len(await stores.taken(stores.steps.going)) == 1


@ON_BOTH
async def test_what_a_person_calls_off_starts_no_further_step(stores: Stores) -> None:
    await built(stores)
    [step] = await to_start(stores)
    await stores.orders.cancel(1, ANN, keep=True)
    assert await stores.column(steps, "state") == ["cancelled", "planned", "planned"]
    with pytest.raises(LeaseLost):
        await moved(stores, step, StepState.STARTED)


@ON_BOTH
async def test_a_step_that_somebody_else_has_taken_over_is_left_to_them(stores: Stores) -> None:
    await built(stores)
    [step] = await to_start(stores)
    thief = stores.other("thief")
    stores.clock.advance(stores.worker.lease * 2)
    assert len(await to_start(thief)) == 1
    with pytest.raises(LeaseLost):
        await stores.steps.save_step(step)
    with pytest.raises(LeaseLost):
        await moved(stores, step, StepState.STARTED)


async def test_a_retry_goes_on_with_the_step_that_failed(stores: Stores) -> None:
    await built(stores)
    [step] = await to_start(stores)
    await moved(stores, step, StepState.SUCCEEDED)
    [observed] = await stores.taken(stores.steps.going)
    await moved(stores, observed, StepState.FAILED)
    await stores.orders.retry("contoso/shop-0000", ANN)
    _, again = (await stores.repository_views.explain("contoso/shop-0000")).rebuilds
    assert again.state is RebuildState.STEPPING
    assert await stores.column(steps, "state") == [
        *("succeeded", "failed", "planned"),
        *("succeeded", "due", "planned"),
    ]


async def test_runs_of_steps_are_taken_in_the_repository_that_they_run_in(stores: Stores) -> None:
    await built(stores)
    [step] = await to_start(stores)
    await moved(stores, step, StepState.STARTED, run=77)
    assert await stores.steps.runs_taken(Identity("contoso/shop-0000")) == {1, 77}
    assert await stores.act.runs_taken(Identity("contoso/rollouts")) == set()


async def test_a_step_knows_the_branch_and_the_commit_that_its_runs_are_of(stores: Stores) -> None:
    await built(stores)
    known = []
    for _ in STEPS:
        [step] = [*await to_start(stores), *await stores.taken(stores.steps.going)]
        known.append((step.branch, step.commit))
        await moved(stores, step, StepState.SUCCEEDED, run=70 + step.place)
    assert known == [("main", COMMIT), ("main", COMMIT), (None, None)]
    assert await stores.steps.runs_of(1, Identity("contoso/shop-0000")) == {1, 70, 71, 72}
    assert await stores.steps.runs_of(2, Identity("contoso/shop-0000")) == set()


@ON_BOTH
async def test_a_failed_step_does_not_tell_against_the_base(stores: Stores) -> None:
    await built(stores, 3)
    for step in await to_start(stores):
        await moved(stores, step, StepState.FAILED)
    assert await stores.quarantine.ends() == []


class Forge:
    """What the loop meets while the forge wants to be left alone for an hour, again and again."""

    def __init__(self, stores: Stores, number: int) -> None:
        self.forge = FakeForge(stores.clock)
        for place in range(number):
            self.forge.add(f"contoso/shop-{place:04}", {".github/workflows/deploy.yml": DEPLOY})
        self.stores, self.loop = stores, Loop(stores.clock)

    async def follow(self) -> None:
        await follow_steps(self.stores[StepStore], self.forge, self.forge, FollowOptions(), self.loop)

    async def start(self) -> None:
        await start_steps(self.stores[StepStore], self.forge, self.forge, dispatchable, StepOptions(), self.loop)

    async def rests(self, tick: Callable[[], Awaitable[None]]) -> None:
        """Eleven hours in which it is tried every twenty minutes, and then answers."""
        self.forge.failing = dict.fromkeys(
            ("look", "follow_runs", "run"), Failure(Trouble.THROTTLED, "slow down", retry_after=HOUR)
        )
        for _ in range(33):
            await tick()
            self.stores.clock.advance(HOUR / 3)
        self.forge.failing.clear()
        self.stores.clock.advance(HOUR / 3)
        await tick()


async def test_a_forge_that_is_left_alone_takes_nothing_of_the_time_of_steps_under_way(stores: Stores) -> None:
    await built(stores, 2)
    forge = Forge(stores, 2)
    await forge.start()
    stores.clock.advance(HOUR)
    await forge.follow()
    before = await stores.column(steps, "deadline")
    await forge.rests(forge.follow)
    assert await stores.column(steps, "state") == ["started", "planned", "planned"] * 2
    lasted = [later - at for later, at in zip(await stores.column(steps, "deadline"), before, strict=True) if at]
    assert all(each >= 11 * HOUR for each in lasted)


async def test_nor_of_the_time_of_those_that_it_refused_to_start_before(stores: Stores) -> None:
    """Few are claimed at a time: the others wait for the forge all the same."""
    await built(stores, 6)
    forge = Forge(stores, 6)
    forge.forge.failing["look"] = Failure(Trouble.DENIED, "no")
    await forge.start()
    await forge.rests(forge.start)
    assert await stores.column(steps, "state") == ["started", "planned", "planned"] * 6
    left = [at - stores.clock.now() for at in await stores.column(steps, "deadline") if at]
    assert all(each > HOUR for each in left)


async def test_an_approval_gives_a_step_its_time_back_once(stores: Stores) -> None:
    await built(stores)
    [first] = await to_start(stores)
    now = stores.clock.now()
    await moved(stores, first, StepState.APPROVAL, run=77, due_at=now, deadline=now + HOUR)
    queue = stores.steps.going
    await queue.put_off(await queue.claim(now, 10), now + 2 * HOUR, attempted=False)
    stores.clock.advance(2 * HOUR)
    [going] = await stores.taken(queue)
    assert going.moved(StepState.RUNNING, "approved", at=stores.clock.now()).deadline == now + 3 * HOUR
