"""Steps are followed to their end, and fail where their run never comes or goes on for too long."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.builder.runs import Run
from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, Trouble
from bot.domain.repositories.repository import Identity
from bot.domain.rollouts.steps import StepRun, StepState
from bot.domain.rollouts.terms import Start, Step
from bot.fleet.follow.steps.tick import StepFollowTally, tick
from bot.fleet.follow.tick import FollowOptions
from bot.reconcile.loop import Loop
from bot.reconcile.work import RowOutcome
from tests.fakes.forge import FakeForge
from tests.fakes.hooks import ToldRows
from tests.fakes.queue import FakeQueue, Row
from tests.fakes.repository import FakeRepository
from tests.unit.fleet.act.world import NOON, SHOP

EVERY = timedelta(minutes=5)
HOUR = timedelta(hours=1)
HOUR_LATER = NOON + HOUR
CANARY = Step("canary", "deploy.yml")
LOAD = Step("load", "load.yml", start=Start.OBSERVE)


class Store:
    """Steps that are going; a look that failed counts as an attempt, as in the store."""

    def __init__(self, *steps: StepRun) -> None:
        self.going: FakeQueue[StepRun] = FakeQueue(is_wanted=_is_going, shown=_shown)
        for step in steps:
            self.going.add(step, step.due_at, id=step.id)
        self.taken: set[int] = set()
        self.own: set[int] = set()

    async def settle_step(self, before: StepRun, after: StepRun, *, succeeded: bool = True) -> None:
        after = replace(after, looks_in_vain=0) if succeeded else after
        self.going.settle(before.id, after.due_at, after)
        self.going.rows[before.id].attempts = 0 if succeeded else before.attempts

    async def runs_taken(self, home: Identity) -> set[int]:
        return self.taken | self.own

    async def runs_of(self, rebuild: int, home: Identity) -> set[int]:
        return self.own


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
    first: str = ""

    def __post_init__(self) -> None:
        self.first = self.shop.branches["main"]

    def follows(self, step: Step = CANARY, **known: object) -> None:
        """A step that was dispatched at noon, and of which no run is known yet."""
        asked = {"state": StepState.STARTED, "attempted_at": NOON, "began_at": NOON, "reason": "started"}
        values = asked | {"branch": "main", "commit": self.built} | known
        going = StepRun(1, 1, 0, step, self.shop.identity, due_at=NOON, **values)  # type: ignore[arg-type]
        self.store = Store(going)

    def observes(self, **known: object) -> None:
        """A step that starts by itself, whose turn came an hour after the merge at noon."""
        self.follows(
            LOAD, **{"state": StepState.DUE, "attempted_at": None, "since": NOON, "began_at": HOUR_LATER} | known
        )

    @property
    def built(self) -> str:
        """The commit that the rebuild has built."""
        return self.trunk[0]

    @property
    def trunk(self) -> list[str]:
        return [self.first, *self.shop.later(self.first)]

    def push(self, branch: str = "main", name: str = "NEWS.md") -> str:
        return self.shop.commit_to(branch, {name: b"more"})

    def shows(self, *runs: Run) -> None:
        workflow = self.store.going[1].workflow if self.store.going.rows else "deploy.yml"
        self.shop.show(workflow, *(replace(run, commit=run.commit or self.built) for run in runs))

    @property
    def asked(self) -> list[str]:
        return [call for call, _ in self.forge.asked]

    async def look(self, after: timedelta = timedelta(0)) -> StepRun:
        await self.tick(after)
        return self.store.going[1]

    async def tick(self, after: timedelta = timedelta(0)) -> StepFollowTally:
        self.clock.advance(after)
        return await tick(self.store, self.forge, self.forge, FollowOptions(EVERY), Loop(self.clock))


@pytest.fixture
def world() -> World:
    clock = ManualClock(NOON)
    forge = FakeForge(clock)
    return World(clock, forge, forge.add(SHOP, {"README.md": b""}))


def run(status: str = "in_progress", conclusion: str | None = None, **values: object) -> Run:
    known = {"id": 7, "url": "https://forge/run/7", "created_at": NOON, "node_id": "CS_7", "branch": "main"}
    known |= {"event": "workflow_dispatch"} | values
    return Run(status=status, conclusion=conclusion, **known)  # type: ignore[arg-type]


def pushed(**values: object) -> Run:
    return run(**{"event": "push"} | values)  # type: ignore[arg-type]


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


async def test_a_run_without_an_address_leaves_the_step_that_it_had(world: World) -> None:
    world.follows(url="https://forge/actions")
    world.shows(run(url=""))
    assert (await world.look()).url == "https://forge/actions"


async def test_a_step_that_starts_by_itself_is_found_among_all_runs_since_the_step_before(world: World) -> None:
    world.follows(LOAD, state=StepState.DUE, attempted_at=None, since=NOON, began_at=NOON + HOUR)
    world.shows(run(id=5, created_at=NOON - HOUR), pushed())
    after = await world.look(2 * HOUR)
    assert (after.state, after.run, after.deadline) == (StepState.RUNNING, 7, NOON + 4 * HOUR)
    assert world.asked == ["started_runs"]


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({"branch": "feature/x"}, id="of another branch"),
        pytest.param({"event": "pull_request"}, id="of a pull request of a branch of the same name"),
        pytest.param({"event": "merge_group"}, id="of a merge queue"),
        pytest.param({"branch": None}, id="of no branch that is told"),
        pytest.param({"event": "schedule"}, id="by a schedule before its turn"),
        pytest.param({"commit": "0" * 40}, id="of a commit that nobody knows"),
    ],
)
async def test_a_run_of_something_else_is_not_that_of_a_step_that_starts_by_itself(
    world: World, values: dict[str, object]
) -> None:
    world.observes()
    world.shows(pushed(**values))
    after = await world.look(2 * HOUR)
    assert (after.state, after.run, after.reason) == (StepState.DUE, None, "load.yml has not started yet")


async def test_a_run_of_another_workflow_is_not_that_of_a_step(world: World) -> None:
    world.observes()
    world.shop.show("build.yml", pushed(commit=world.built))
    assert (await world.look(2 * HOUR)).run is None


async def test_a_run_of_an_earlier_commit_is_not_that_of_a_step(world: World) -> None:
    before, built = world.built, world.push()
    world.observes(commit=built)
    world.shows(pushed(commit=before))
    assert (await world.look(2 * HOUR)).run is None


async def test_a_run_of_a_later_commit_that_contains_the_built_one_is_that_of_a_step(world: World) -> None:
    world.observes()
    later = world.push()
    world.shows(pushed(commit=later), pushed(id=8, commit=later))
    assert (await world.look(2 * HOUR)).run == 7
    assert world.asked == ["started_runs", "contains"]


async def test_while_it_cannot_be_told_whether_a_run_contains_the_built_commit_none_is_taken(world: World) -> None:
    world.observes()
    world.shows(pushed(commit=world.push()))
    world.forge.failing["contains"] = Failure(Trouble.UNREACHABLE, "no answer")
    after = await world.look(2 * HOUR)
    assert (after.state, after.run) == (StepState.DUE, None)


async def test_a_run_that_a_schedule_began_after_the_turn_of_a_step_is_its_own(world: World) -> None:
    world.observes()
    world.shows(run(event="schedule", created_at=HOUR_LATER))
    assert (await world.look(2 * HOUR)).run == 7


async def test_one_run_serves_all_whose_builds_it_contains_and_no_two_steps_of_one(world: World) -> None:
    world.observes()
    world.store.taken, world.store.own = {7, 8}, {8}
    world.shows(pushed(id=8), pushed(id=9, branch="other"), pushed())
    assert (await world.look(2 * HOUR)).run == 7


async def test_in_another_repository_a_run_on_its_default_branch_that_nobody_has_is_taken(world: World) -> None:
    world.observes(commit=None, branch=None)
    world.store.taken = {7}
    world.shows(pushed(), pushed(id=8, branch="feature/x"), pushed(id=9))
    assert (await world.look(2 * HOUR)).run == 9
    assert world.asked == ["standings", "started_runs"]


async def test_a_dispatched_run_of_another_branch_is_not_taken_for_its_own(world: World) -> None:
    world.follows()
    world.shows(run(branch="feature/x"))
    assert (await world.look()).run is None


@pytest.mark.parametrize("start", [CANARY, LOAD], ids=["dispatched", "starts by itself"])
async def test_a_run_that_was_cancelled_for_a_newer_one_is_followed_there(world: World, start: Step) -> None:
    world.follows(start, run=7, node_id="CS_7")
    newer = run(id=9, node_id="CS_9", url="https://forge/run/9", commit=world.push())
    world.shows(run("completed", "cancelled"), run(id=8, node_id="CS_8", branch="other"), newer)
    after = await world.look(EVERY)
    assert (after.state, after.run, after.url) == (StepState.RUNNING, 9, "https://forge/run/9")
    assert after.reason == f"a newer run took its place: {start.workflow} is running"


async def test_a_run_that_was_cancelled_for_none_ends_its_step(world: World) -> None:
    world.follows(run=7, node_id="CS_7")
    world.shows(run("completed", "cancelled"), run(id=6, node_id="CS_6"))
    after = await world.look(EVERY)
    assert (after.state, after.reason) == (StepState.CANCELLED, "the run of deploy.yml was cancelled")


async def test_a_run_that_another_step_has_is_not_taken(world: World) -> None:
    world.follows()
    world.store.taken = {7}
    world.shows(run())
    after = await world.look()
    assert (after.state, after.run) == (StepState.STARTED, None)


@pytest.mark.parametrize("requests", [1, 2])
async def test_a_dispatched_run_that_does_not_appear_within_a_day_did_not_start(
    world: World, requests: int
) -> None:
    """A second one was asked for later, and has its own day."""
    world.follows(replace(CANARY, timeout=96 * HOUR), dispatches=requests)
    assert (await world.look(requests * 24 * HOUR)).state is StepState.STARTED
    after = await world.look(EVERY)
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
    assert world.asked == ["follow_runs", "first_failure"]


async def test_while_the_forge_pauses_it_is_not_asked_and_steps_are_put_off_to_its_end(world: World) -> None:
    world.follows(run=7, node_id="CS_7", state=StepState.RUNNING)
    world.forge.failing["follow_runs"] = Failure(Trouble.THROTTLED, "slow down", retry_after=HOUR)
    loop = Loop(world.clock)
    await tick(world.store, world.forge, world.forge, FollowOptions(EVERY), loop)
    world.store.going.rows[1].due_at = NOON
    await tick(world.store, world.forge, world.forge, FollowOptions(EVERY), loop)
    assert (world.store.going.rows[1].due_at, world.asked) == (NOON + HOUR, ["follow_runs"])


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
        pytest.param({"run": 7, "node_id": "CS_7"}, "follow_runs", Trouble.UNREACHABLE, id="no answer"),
        pytest.param({}, "dispatched_runs", Trouble.MISSING, id="out of sight"),
    ],
)
async def test_a_forge_that_does_not_answer_takes_nothing_of_a_steps_time(
    world: World, known: dict[str, Any], call: str, trouble: Trouble
) -> None:
    world.follows(**known)
    world.forge.failing, world.forge.sees_all = {call: Failure(trouble, "no")}, False
    reached = [(await world.look(EVERY)).state for _ in range(40)]
    assert set(reached) == {StepState.STARTED}
    world.forge.failing = {}
    world.shows(run())
    assert (await world.look(EVERY)).state is StepState.RUNNING
    assert (await world.look(2 * HOUR)).reason.startswith("not through within 2 h: deploy.yml is running")


async def test_a_right_that_is_missing_ends_a_step_once_its_time_is_over(world: World) -> None:
    world.follows()
    world.forge.failing = {"dispatched_runs": Failure(Trouble.DENIED, "no")}
    assert (await world.look()).state is StepState.STARTED
    after = await world.look(2 * HOUR)
    assert (after.state, after.reason) == (StepState.FAILED, "not through within 2 h: started")
    assert after.refused


async def test_time_does_not_run_out_while_an_approval_is_waited_for(world: World) -> None:
    world.follows(run=7, node_id="CS_7", state=StepState.APPROVAL, waits_since=NOON, deadline=NOON + HOUR)
    tally = await world.tick(2 * HOUR)
    assert _problems(tally) == ["contoso/shop: step canary: contoso/shop: run 7 is not shown any more"]
    assert world.store.going[1].state is StepState.APPROVAL


@pytest.mark.parametrize("how", ["gone", "empty"])
async def test_a_step_in_a_repository_whose_default_branch_is_not_shown_waits_and_says_what_to_check(
    world: World, how: str
) -> None:
    world.observes(commit=None, branch=None)
    world.shop.is_gone = how == "gone"
    if how == "empty":
        world.shop.branches.clear()
    tally = await world.tick(HOUR)
    assert world.store.going[1].state is StepState.DUE
    check = "check that the credentials may see it, and that it has a default branch"
    assert tally.problems == (f"{SHOP}: step load: {SHOP}: its default branch is not shown; {check}",)


async def test_a_run_that_is_not_shown_any_more_is_told_with_what_to_check(world: World) -> None:
    world.follows(run=7, node_id="CS_7")
    check = "check that the credentials may see the repository"
    told = f"{SHOP}: step canary: {SHOP}: run 7 is not shown any more; {check}"
    assert (await world.tick()).problems == (told,)


async def test_a_newer_run_without_an_address_leaves_the_step_that_it_had(world: World) -> None:
    world.follows(run=7, node_id="CS_7", url="https://forge/actions")
    world.shows(run("completed", "cancelled"), run(id=9, node_id="CS_9", url=""))
    after = await world.look(EVERY)
    assert (after.run, after.url) == (9, "https://forge/actions")


@pytest.mark.parametrize("known", [{"attempted_at": NOON}, {"attempted_at": None, "since": NOON}], ids=str)
async def test_where_the_forge_does_not_tell_when_a_cancelled_run_began_a_newer_one_is_sought_since_the_step_did(
    world: World, known: dict[str, Any]
) -> None:
    world.follows(run=7, node_id="CS_7", **known)
    early = run(id=8, node_id="CS_8", created_at=NOON - HOUR)
    newer = run(id=9, node_id="CS_9", created_at=NOON + timedelta(minutes=1))
    world.shows(run("completed", "cancelled", created_at=None), early, newer)
    assert (await world.look(EVERY)).run == 9


async def test_a_step_that_starts_by_itself_and_knows_only_its_turn_takes_runs_since_then(world: World) -> None:
    world.observes(since=None, began_at=HOUR_LATER)
    world.shows(pushed(), pushed(id=8, created_at=HOUR_LATER))
    assert (await world.look(2 * HOUR)).run == 8


async def test_the_tally_tells_how_many_steps_have_ended_and_how_many_are_gone(world: World) -> None:
    world.follows(run=7, node_id="CS_7")
    first = world.store.going[1]
    gone = replace(first, id=3, run=9, node_id="CS_9", looks_in_vain=12)
    steps = first, replace(first, id=2, run=8, node_id="CS_8"), gone, replace(gone, id=4)
    world.store = Store(*steps)
    world.shows(run("completed", "success"), run(id=8, node_id="CS_8"))
    tally = await world.tick()
    assert (tally.looked_at, tally.ended, len(tally.problems)) == (2, 3, 2)


async def test_metrics_have_it_under_its_name(world: World) -> None:
    told = ToldRows()
    world.follows()
    await tick(world.store, world.forge, world.forge, FollowOptions(EVERY), Loop(world.clock, told))
    assert told.rows == [("follow steps", RowOutcome.DONE)]


async def test_a_run_that_waits_for_its_turn_has_started_its_step(world: World) -> None:
    world.observes()
    world.shows(pushed(status="queued"))
    after = await world.look(2 * HOUR)
    assert (after.state, after.reason, after.run) == (StepState.STARTED, "load.yml has started", 7)


@pytest.mark.parametrize("state", [StepState.STARTED, StepState.RUNNING, StepState.APPROVAL])
async def test_a_step_that_has_begun_goes_on_from_where_it_is_once_its_run_is_asked_for_alone(
    world: World, state: StepState
) -> None:
    world.follows(run=7, state=state, waits_since=NOON if state is StepState.APPROVAL else None)
    world.shows(run())
    tally = await world.tick()
    assert (world.store.going[1].state, tally.problems) == (StepState.RUNNING, ())


def _problems(tally: StepFollowTally) -> Sequence[str]:
    """Without the advice."""
    return [problem.partition(";")[0] for problem in tally.problems]
