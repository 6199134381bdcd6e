"""Steps are followed to their end, and fail where their run never comes or goes on for too long."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.runs import Run
from bot.domain.rollouts.steps import StepRun, StepState
from bot.domain.rollouts.terms import Start, Step
from bot.follow.stage import FollowOptions
from bot.follow.steps import StepFollowTally, tick
from bot.reconcile.loop import Loop
from tests.fakes.forge import FakeForge
from tests.fakes.queue import FakeQueue, Row
from tests.fakes.repository import FakeRepository
from tests.unit.act.world import NOON, SHOP

EVERY = timedelta(minutes=5)
HOUR = timedelta(hours=1)
CANARY = Step("canary", "deploy.yml")
LOAD = Step("load", "load.yml", start=Start.OBSERVE)


class Store:
    """Steps that are going; a look that failed counts as an attempt, as in the store."""

    def __init__(self, *steps: StepRun) -> None:
        self.going: FakeQueue[StepRun] = FakeQueue(is_wanted=_is_going, shown=_shown)
        for step in steps:
            self.going.add(step, step.due_at, id=step.id)
        self.taken: set[int] = set()

    async def settle_step(self, before: StepRun, after: StepRun, *, succeeded: bool = True) -> None:
        self.going.settle(before.id, after.due_at, after)
        self.going.rows[before.id].attempts = 0 if succeeded else before.attempts

    async def runs_taken(self, repository: str) -> set[int]:
        return self.taken


def _is_going(row: Row[StepRun]) -> bool:
    return isinstance(row.item, StepRun) and not row.item.state.has_ended


def _shown(step: StepRun, row: Row[StepRun]) -> StepRun:
    return replace(step, attempts=row.attempts)


@dataclass(slots=True)
class World:
    clock: ManualClock
    forge: FakeForge
    shop: FakeRepository
    store: Store = field(default_factory=Store)

    def follows(self, step: Step = CANARY, **known: object) -> None:
        """A step that was dispatched at noon, and of which no run is known yet."""
        values = {"state": StepState.STARTED, "attempted_at": NOON, "began_at": NOON, "reason": "started"} | known
        going = StepRun(1, 1, 0, step, self.shop.identity, due_at=NOON, **values)  # type: ignore[arg-type]
        self.store = Store(going)

    def shows(self, *runs: Run) -> None:
        self.shop.runs = {run.id: run for run in runs}

    @property
    def asked(self) -> list[str]:
        return [call for call, _ in self.forge.asked]

    async def look(self, after: timedelta = timedelta(0)) -> StepRun:
        await self.tick(after)
        return self.store.going[1]

    async def tick(self, after: timedelta = timedelta(0)) -> StepFollowTally:
        self.clock.advance(after)
        return await tick(self.store, self.forge, FollowOptions(EVERY), Loop(self.clock))


@pytest.fixture
def world() -> World:
    clock = ManualClock(NOON)
    forge = FakeForge(clock)
    return World(clock, forge, forge.add(SHOP, {"README.md": b""}))


def run(status: str = "in_progress", conclusion: str | None = None, **values: object) -> Run:
    known = {"id": 7, "url": "https://forge/run/7", "created_at": NOON, "node_id": "CS_7"} | values
    return Run(status=status, conclusion=conclusion, **known)  # type: ignore[arg-type]


async def test_the_run_of_a_dispatch_is_found_among_those_dispatched_since(world: World) -> None:
    world.follows()
    world.shows(run(id=5, created_at=NOON - timedelta(seconds=6)), run(created_at=NOON - timedelta(seconds=4)))
    after = await world.look()
    assert (after.state, after.run, after.node_id, after.url) == (
        StepState.RUNNING,
        7,
        "CS_7",
        "https://forge/run/7",
    )
    assert after.due_at == NOON + EVERY
    assert world.asked == ["dispatched_runs"]


async def test_a_step_that_starts_by_itself_is_found_among_all_runs_since_the_step_before(world: World) -> None:
    world.follows(LOAD, state=StepState.DUE, attempted_at=None, since=NOON, began_at=NOON + HOUR)
    world.shows(run(id=5, created_at=NOON - HOUR), run(event="push"))
    after = await world.look(2 * HOUR)
    assert (after.state, after.run, after.deadline) == (StepState.RUNNING, 7, NOON + 4 * HOUR)
    assert world.asked == ["started_runs"]


async def test_a_run_that_another_step_has_is_not_taken(world: World) -> None:
    world.follows()
    world.store.taken = {7}
    world.shows(run())
    after = await world.look()
    assert (after.state, after.run) == (StepState.STARTED, None)


async def test_a_dispatched_run_that_does_not_appear_within_an_hour_did_not_start(world: World) -> None:
    world.follows()
    assert (await world.look(HOUR - EVERY)).state is StepState.STARTED
    after = await world.look(2 * EVERY)
    assert (after.state, after.reason) == (StepState.FAILED, "the dispatched run never appeared")


async def test_a_step_that_does_not_start_by_itself_in_its_time_has_failed(world: World) -> None:
    world.follows(LOAD, state=StepState.DUE, attempted_at=None, since=NOON)
    waiting = await world.look()
    assert (waiting.state, waiting.reason) == (StepState.DUE, "load.yml has not started yet")
    after = await world.look(2 * HOUR)
    assert (after.state, after.reason) == (
        StepState.FAILED,
        "not through within 2 h: load.yml has not started yet",
    )


async def test_steps_whose_runs_are_known_are_asked_for_together_and_a_red_one_why_it_is(world: World) -> None:
    world.follows(run=7, node_id="CS_7")
    first = world.store.going[1]
    world.store = Store(first, replace(first, id=2, run=8, node_id="CS_8"))
    world.shows(run("completed", "success"), run("completed", "failure", id=8, node_id="CS_8"))
    tally = await world.tick()
    assert [world.store.going[number].state for number in (1, 2)] == [StepState.SUCCEEDED, StepState.FAILED]
    assert (tally.looked_at, tally.ended) == (2, 2)
    assert world.asked == ["follow", "first_failure"]


async def test_a_run_without_a_node_is_asked_for_by_its_number(world: World) -> None:
    world.follows(run=7)
    world.shows(run())
    after = await world.look()
    assert (after.state, after.node_id) == (StepState.RUNNING, "CS_7")
    assert world.asked == ["run"]


async def test_a_run_that_is_not_shown_for_a_dozen_looks_has_failed(world: World) -> None:
    world.follows(replace(CANARY, timeout=24 * HOUR), run=7, node_id="CS_7")
    reached = [(await world.look(EVERY)).state for _ in range(12)]
    assert reached == [StepState.STARTED] * 11 + [StepState.FAILED]
    assert world.store.going[1].reason == "its run is no longer there"


async def test_a_run_that_a_blind_grant_does_not_show_has_not_failed(world: World) -> None:
    world.follows(replace(CANARY, timeout=24 * HOUR), run=7, node_id="CS_7")
    world.forge.sees_all = False
    assert {(await world.look(EVERY)).state for _ in range(20)} == {StepState.STARTED}


@pytest.mark.parametrize(
    ("known", "call", "trouble"),
    [
        pytest.param({"run": 7, "node_id": "CS_7"}, "follow", Trouble.UNREACHABLE, id="no answer"),
        pytest.param({}, "dispatched_runs", Trouble.MISSING, id="no workflow"),
    ],
)
async def test_a_look_that_fails_does_not_end_a_step_before_its_time(
    world: World, known: dict[str, object], call: str, trouble: Trouble
) -> None:
    world.follows(**known)
    world.forge.failing = {call: Failure(trouble, "no")}
    reached = [(await world.look(EVERY)).state for _ in range(20)]
    assert set(reached) == {StepState.STARTED}
    after = await world.look(HOUR)
    assert (after.state, after.reason) == (StepState.FAILED, "not through within 2 h: started")


async def test_time_does_not_run_out_while_an_approval_is_waited_for(world: World) -> None:
    world.follows(run=7, node_id="CS_7", state=StepState.APPROVAL, waits_since=NOON, deadline=NOON + HOUR)
    tally = await world.tick(2 * HOUR)
    assert _problems(tally) == ["contoso/shop: step canary: contoso/shop: run 7 is not shown any more"]
    assert world.store.going[1].state is StepState.APPROVAL


def _problems(tally: StepFollowTally) -> Sequence[str]:
    """Without the advice."""
    return [problem.partition(";")[0] for problem in tally.problems]
