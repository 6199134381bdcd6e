"""What a person has called off ends, and its pull request is closed wherever that can be."""

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, Trouble
from bot.domain.rollouts.rebuild import Action, Rebuild, RebuildState
from bot.domain.rollouts.timing.pace import WriteLimits
from bot.fleet.act.calling_off import tick as calling_off
from bot.fleet.act.calling_off.tick import CalledOff
from bot.fleet.act.ports import ActOptions
from bot.reconcile.guarded import Budget, Turn
from bot.reconcile.loop import Loop
from tests.fakes.forge import FakeForge
from tests.fakes.hooks import ToldRows
from tests.fakes.queue import FakeQueue, Row
from tests.fakes.repository import FakeRepository
from tests.unit.fleet.act.world import BRANCH, NOON, SHOP, rebuild
from tests.unit.fleet.follow.world import OPEN

WORD = "cancelled by Ann: it is not needed"


def _has_not_ended(row: Row[CalledOff]) -> bool:
    return isinstance(row.item, CalledOff) and not row.item.rebuild.state.has_ended


class World:
    """A repository with an open pull request of a rebuild that was called off."""

    def __init__(self) -> None:
        self.clock = ManualClock(NOON)
        self.forge = FakeForge(self.clock)
        self.shop: FakeRepository = self.forge.add(SHOP, {"README.md": b""})
        self.shop.commit_to(BRANCH, {"Dockerfile": b"FROM new"})
        self.shop.requests[1] = replace(OPEN, branch=BRANCH)
        self.called_off: FakeQueue[CalledOff] = FakeQueue(is_wanted=_has_not_ended)
        self.called_off.add(CalledOff(rebuild(state=RebuildState.OPEN, pull_request=1), WORD), NOON)
        self.succeeded: list[bool] = []

    async def settle_rebuild(self, before: Rebuild, after: Rebuild, *, succeeded: bool = True) -> None:
        self.succeeded.append(succeeded)
        row = self.called_off.rows[after.id]
        attempts = 0 if succeeded else row.attempts
        self.called_off.settle(after.id, after.due_at, CalledOff(after, WORD))
        row.attempts = attempts

    async def tick(self) -> Rebuild:
        await calling_off.tick(self, self.forge, ActOptions(), Loop(self.clock))
        return self.called_off[1].rebuild

    async def after(self, days: int) -> Rebuild:
        """Ticks whenever it is due, for so long."""
        end = NOON + timedelta(days=days)
        while self.clock.now() < end and not (await self.tick()).state.has_ended:
            self.clock.move_to(max(self.called_off.rows[1].due_at, self.clock.now() + timedelta(seconds=1)))
        return self.called_off[1].rebuild

    async def next(self) -> Rebuild:
        """Ticks when it is due again."""
        self.clock.move_to(max(self.called_off.rows[1].due_at, self.clock.now()))
        return await self.tick()


@pytest.fixture
def world() -> World:
    return World()


async def test_its_pull_request_is_closed_with_the_reason(world: World) -> None:
    after = await world.tick()
    assert (after.state, after.reason) == (RebuildState.CANCELLED, WORD)
    assert not world.shop.requests[1].is_open
    assert WORD in world.shop.requests[1].body


async def test_what_others_have_closed_before_is_left_as_it_is(world: World) -> None:
    world.shop.requests[2] = replace(OPEN, number=2, branch=BRANCH, is_open=False, body="by Bob")
    world.shop.is_archived = True
    world.shop.requests[1] = replace(world.shop.requests[1], is_open=False)
    after = await world.tick()
    assert (after.state, after.reason) == (RebuildState.CANCELLED, WORD)
    assert world.shop.requests[2].body == "by Bob"


async def test_it_ends_although_a_read_only_repository_keeps_its_pull_request_open(world: World) -> None:
    world.shop.is_archived = True
    after = await world.tick()
    told = f"{WORD}; #1 stays open in a repository that is read-only"
    assert (after.state, after.reason) == (RebuildState.CANCELLED, told)
    assert world.shop.requests[1].is_open


@pytest.mark.parametrize(
    ("trouble", "has_ended"),
    [(Trouble.CONFLICT, True), (Trouble.DENIED, True), (Trouble.MISSING, True), (Trouble.UNREACHABLE, False)],
)
async def test_it_ends_where_its_pull_request_can_never_be_closed(
    world: World, trouble: Trouble, has_ended: bool
) -> None:
    world.forge.failing["close_pull_request"] = Failure(trouble, "not for you")
    assert (await world.after(days=4)).state.has_ended is has_ended


async def test_only_refusals_count_towards_its_end(world: World) -> None:
    world.forge.failing["close_pull_request"] = Failure(Trouble.UNREACHABLE, "no answer")
    await world.after(days=2)
    world.forge.failing["close_pull_request"] = Failure(Trouble.CONFLICT, "not for you")
    for _ in range(2):
        assert (await world.next()).state is RebuildState.OPEN
    assert (await world.next()).state is RebuildState.CANCELLED


async def test_a_right_that_is_missing_after_an_outage_is_waited_for_all_the_same(world: World) -> None:
    world.forge.failing["close_pull_request"] = Failure(Trouble.UNREACHABLE, "no answer")
    await world.after(days=4)
    world.forge.failing["close_pull_request"] = Failure(Trouble.DENIED, "not for you")
    for _ in range(8):
        assert (await world.next()).state is RebuildState.OPEN


async def test_an_outage_however_long_only_delays_it_and_it_goes_on_by_itself(world: World) -> None:
    world.forge.failing["close_pull_request"] = Failure(Trouble.UNREACHABLE, "no answer")
    assert (await world.after(days=30)).reason == "no answer"
    assert world.called_off.rows[1].due_at - world.clock.now() <= timedelta(days=1)
    world.forge.failing.clear()
    assert (await world.next()).state is RebuildState.CANCELLED
    assert not world.shop.requests[1].is_open


async def test_what_a_blind_grant_does_not_show_is_never_its_end(world: World) -> None:
    world.forge.failing["look"] = Failure(Trouble.MISSING, "not found", status=404)
    world.forge.sees_all = False
    assert (await world.after(days=20)).state is RebuildState.OPEN


@pytest.mark.parametrize("is_closed", [True, False])
async def test_it_counts_as_done_only_where_its_pull_request_could_be_closed(world: World, is_closed: bool) -> None:
    if not is_closed:
        world.forge.failing["close_pull_request"] = Failure(Trouble.CONFLICT, "not for you")
    await world.after(days=1)
    assert set(world.succeeded) == {is_closed}


async def test_a_missing_right_is_waited_for(world: World) -> None:
    world.forge.failing["close_pull_request"] = Failure(Trouble.DENIED, "not for you")
    assert (await world.after(days=1)).state is RebuildState.OPEN
    world.forge.failing.clear()
    after = await world.after(days=2)
    assert (after.state, world.shop.requests[1].is_open) == (RebuildState.CANCELLED, False)


async def test_one_that_people_have_pointed_elsewhere_stays_and_merges_no_more_by_the_bots_word(
    world: World,
) -> None:
    world.shop.edit(1, base="release", is_to_merge=True, is_to_merge_by_us=True)
    after = await world.tick()
    told = "pull request #1 goes to release and not to main, so it is left to people"
    assert (after.state, after.reason) == (RebuildState.CANCELLED, f"{WORD}; {told}")
    assert (world.shop.requests[1].is_open, world.shop.requests[1].is_to_merge) == (True, False)


@pytest.mark.parametrize(
    "values",
    [{"action": Action.DISPATCH}, {"action": Action.DISPATCH, "branch": BRANCH}, {"branch": None}],
    ids=str,
)
async def test_what_has_no_pull_request_ends_without_a_question(world: World, values: dict[str, object]) -> None:
    known = {"state": RebuildState.DISPATCHED if "action" in values else RebuildState.OPEN}
    world.called_off[1] = CalledOff(rebuild(**known | values), WORD)  # type: ignore[arg-type]
    after = await world.tick()
    assert (after.state, after.reason, world.forge.asked) == (RebuildState.CANCELLED, WORD, [])


@pytest.mark.parametrize(("number", "is_open"), [(1, False), (9, True)])
async def test_one_that_a_person_has_opened_is_closed_only_where_it_is_the_rebuilds_own(
    world: World, number: int, is_open: bool
) -> None:
    world.shop.edit(1, is_own=False)
    world.called_off[1] = CalledOff(rebuild(state=RebuildState.OPEN, pull_request=number), WORD)
    assert (await world.tick()).state is RebuildState.CANCELLED
    assert world.shop.requests[1].is_open is is_open


async def test_what_keeps_one_from_being_closed_is_told_and_in_the_end_the_reason(world: World) -> None:
    world.forge.failing["close_pull_request"] = Failure(Trouble.CONFLICT, "not for you", where="POST /graphql")
    options, loop = ActOptions(), Loop(world.clock)
    tally = await calling_off.tick(world, world.forge, options, loop)
    assert (tally.done, tally.problems) == (0, (f"{SHOP}: POST /graphql: not for you",))
    after = await world.after(days=1)
    assert after.reason == f"{WORD}; its pull request could not be closed: not for you"


async def test_how_many_were_called_off_is_told(world: World) -> None:
    tally = await calling_off.tick(world, world.forge, ActOptions(), Loop(world.clock))
    assert (tally.done, tally.problems) == (1, ())


async def test_a_pull_request_that_is_not_shown_keeps_it_from_its_end_for_a_day(world: World) -> None:
    world.forge.failing["look"] = Failure(Trouble.MISSING, "not found")
    assert (await world.after(days=1)).state is RebuildState.OPEN
    assert (await world.after(days=2)).state is RebuildState.CANCELLED


async def test_metrics_have_it_under_its_name(world: World) -> None:
    told = ToldRows()
    await calling_off.tick(world, world.forge, ActOptions(), Loop(world.clock, told))
    assert told.stages == ["call off"]


@pytest.mark.parametrize("state", [RebuildState.WAITING, RebuildState.OPEN])
async def test_one_that_an_attempt_has_opened_and_not_told_of_is_closed_too(
    world: World, state: RebuildState
) -> None:
    """It was cut off between the pull request and the store."""
    world.called_off[1] = CalledOff(rebuild(state=state, pull_request=None), WORD)
    assert (await world.tick()).state is RebuildState.CANCELLED
    assert not world.shop.requests[1].is_open


def merging(world: World, **values: object) -> None:
    """The bot has set it to merge by itself."""
    world.shop.edit(1, is_to_merge=True, is_to_merge_by_us=True, **values)


NOT_STOPPED = [
    ({"base": "release"}, "Something went wrong"),
    ({"base": "release"}, "not for you"),
    ({}, "not for you"),
]


@pytest.mark.parametrize(("values", "said"), NOT_STOPPED, ids=str)
async def test_what_cannot_be_kept_from_merging_is_not_done_and_tried_until_it_is(
    world: World, values: dict[str, object], said: str
) -> None:
    """Neither where the bot leaves it open, nor where it may not close it."""
    merging(world, **values)
    world.forge.goes_on_merging = said == "Something went wrong"
    refused = Failure(Trouble.DENIED, "not for you")
    world.forge.failing = {} if world.forge.goes_on_merging else {"grant": refused, "close_pull_request": refused}
    after = await world.after(days=5)
    assert (after.state, world.shop.requests[1].is_to_merge) == (RebuildState.OPEN, True)
    assert after.reason.startswith(f"pull request #1 goes on to merge by itself ({said})")
    world.forge.goes_on_merging, world.forge.failing = False, {}
    after = await world.after(days=7)
    assert after.state is RebuildState.CANCELLED
    assert not (world.shop.requests[1].is_open and world.shop.requests[1].is_to_merge)


async def test_one_that_can_never_be_closed_merges_no_more(world: World) -> None:
    merging(world)
    world.forge.failing["close_pull_request"] = Failure(Trouble.CONFLICT, "not for you")
    after = await world.after(days=1)
    assert after.state is RebuildState.CANCELLED
    assert (world.shop.requests[1].is_open, world.shop.requests[1].is_to_merge) == (True, False)


async def test_what_would_merge_once_its_repository_can_be_written_again_is_waited_for(world: World) -> None:
    merging(world)
    world.shop.is_archived = True
    after = await world.after(days=3)
    assert after.reason.startswith("pull request #1 goes on to merge by itself (the repository is archived)")
    assert after.state is RebuildState.OPEN
    world.shop.is_archived = False
    assert (await world.after(days=5)).state is RebuildState.CANCELLED
    assert not world.shop.requests[1].is_open


@dataclass(slots=True)
class Turns:
    """Gives each write its turn after `wait`."""

    world: World
    wait: timedelta

    async def take(self, account: str, contents: int, limits: WriteLimits) -> Turn:
        return Turn(self.world.clock.now() + self.wait)

    async def stop(self, account: str, asked: timedelta | None) -> timedelta:
        return timedelta(0)

    async def sleep(self, seconds: float) -> None:
        self.world.clock.advance(timedelta(seconds=seconds))


async def test_a_look_that_grew_old_while_the_write_waited_for_its_turn_counts_no_more(world: World) -> None:
    turns = Turns(world, timedelta(seconds=70))
    loop = Loop(world.clock, budget=Budget(turns, world.clock, sleep=turns.sleep))
    await calling_off.tick(world, world.forge, ActOptions(), loop)
    assert (world.forge.calls, world.called_off[1].rebuild.state) == ([], RebuildState.OPEN)
    turns.wait = timedelta(seconds=1)
    world.clock.advance(timedelta(minutes=5))
    await calling_off.tick(world, world.forge, ActOptions(), loop)
    assert world.called_off[1].rebuild.state is RebuildState.CANCELLED
