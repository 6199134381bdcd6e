"""The issue of a repository is opened, changed and closed as its sections want it."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, Trouble
from bot.domain.repositories.issue import IssueSection
from bot.fleet.act.issue.tick import DueIssue, IssueTally, ToldIssue, tick
from bot.fleet.act.ports import ActOptions
from bot.reconcile.loop import Loop
from tests.fakes.forge import FakeForge
from tests.fakes.hooks import ToldRows
from tests.fakes.queue import FakeQueue
from tests.fakes.repository import CONFIG, FakeRepository
from tests.unit.fleet.act.world import NOON, SHOP

FAILED = IssueSection("failures", "Rebuilds that failed", "The build is red.", "the build is red")
OLD = IssueSection("age", "Too old", "The schedule is off.", "the schedule is off")


class World:
    """A repository of which something is to be said."""

    def __init__(self) -> None:
        self.clock = ManualClock(NOON)
        self.forge = FakeForge(self.clock)
        self.shop: FakeRepository = self.forge.add(SHOP, {"README.md": b""})
        self.issues: FakeQueue[DueIssue] = FakeQueue()
        self.issues.add(DueIssue(1, self.shop.identity, (FAILED,), None, False, 1), NOON)
        self.gathered = 0
        self.refused: list[tuple[str, timedelta]] = []

    async def gather(self) -> int:
        self.gathered += 1
        return 0

    async def settle_issue(self, item: DueIssue, told: ToldIssue) -> None:
        self.issues.settle(1, NOON + timedelta(days=1), replace(item, number=told.number, is_open=told.is_open))
        self.told = told

    async def refuse_issue(self, item: DueIssue, why: str, due_at: datetime) -> None:
        self.refused.append((why, due_at - self.clock.now()))
        self.issues.settle(1, due_at)

    async def says(self, *sections: IssueSection) -> IssueTally:
        self.issues[1] = replace(self.issues[1], sections=sections)
        self.issues.rows[1].due_at = self.clock.now()
        return await tick(self, self.forge, ActOptions(), Loop(self.clock))

    @property
    def writes(self) -> list[str]:
        return self.forge.calls


@pytest.fixture
def world() -> World:
    return World()


async def test_what_is_to_be_said_opens_an_issue(world: World) -> None:
    assert await world.says(FAILED) == IssueTally(done=1)
    (issue,) = world.shop.issues.values()
    assert world.told == ToldIssue(issue.number, True, issue.url)
    assert FAILED.text in issue.body
    assert (world.writes, world.gathered) == (["open_issue"], 1)


async def test_nothing_to_say_opens_none_and_looks_for_none(world: World) -> None:
    await world.says()
    assert (world.told, world.writes) == (ToldIssue(None, False), [])
    assert "find_issue" not in [call for call, _ in world.forge.asked]


async def test_other_words_change_the_issue_that_there_is(world: World) -> None:
    await world.says(FAILED)
    await world.says(FAILED, OLD)
    (issue,) = world.shop.issues.values()
    assert (OLD.text in issue.body, FAILED.text in issue.body, issue.is_open) == (True, True, True)
    assert world.writes == ["open_issue", "change_issue"]


async def test_the_same_words_write_nothing(world: World) -> None:
    await world.says(FAILED)
    await world.says(FAILED)
    assert world.writes == ["open_issue"]


async def test_where_nothing_is_left_to_say_it_is_closed_once(world: World) -> None:
    await world.says(FAILED)
    await world.says()
    (issue,) = world.shop.issues.values()
    assert (issue.is_open, world.told) == (False, ToldIssue(issue.number, False, issue.url))
    await world.says()
    assert world.writes == ["open_issue", "change_issue"]


async def test_one_that_people_closed_is_opened_again_for_what_is_still_to_be_said(world: World) -> None:
    await world.says(FAILED)
    world.shop.issues = {number: replace(each, is_open=False) for number, each in world.shop.issues.items()}
    await world.says(FAILED)
    assert [each.is_open for each in world.shop.issues.values()] == [True]


async def test_one_that_a_crashed_attempt_has_left_is_taken_up(world: World) -> None:
    await world.says(FAILED)
    world.issues[1] = replace(world.issues[1], number=None)
    await world.says(FAILED)
    assert (len(world.shop.issues), world.told.number) == (1, 1)


async def test_one_that_was_deleted_is_opened_anew(world: World) -> None:
    await world.says(FAILED)
    world.shop.issues.clear()
    await world.says(FAILED)
    assert (len(world.shop.issues), world.told.is_open) == (1, True)


@pytest.mark.parametrize("left_alone", ["archived", "opted out", "gone"])
async def test_a_repository_that_takes_none_is_written_nothing_to(world: World, left_alone: str) -> None:
    await world.says(FAILED)
    world.shop.is_archived = left_alone == "archived"
    world.shop.is_gone = left_alone == "gone"
    if left_alone == "opted out":
        world.shop.commit_to("main", {CONFIG: b"enabled: false"})
    await world.says(FAILED, OLD)
    assert (world.told, world.writes) == (ToldIssue(1, True, again_after=timedelta(days=1)), ["open_issue"])


async def test_credentials_that_are_not_taken_at_present_refuse_nothing(world: World) -> None:
    world.forge.failing["open_issue"] = Failure(Trouble.DENIED, "Bad credentials", status=401)
    assert (await world.says(FAILED)).problems == (f"{SHOP}: Bad credentials",)
    assert world.refused == []


async def test_where_the_forge_takes_no_issues_that_is_kept_and_asked_again_later(world: World) -> None:
    world.forge.failing["open_issue"] = Failure(Trouble.DENIED, "issues are disabled")
    assert await world.says(FAILED) == IssueTally()
    assert world.refused == [("issues are disabled", timedelta(days=1))]


async def test_where_the_forge_does_not_answer_it_is_tried_again_soon(world: World) -> None:
    world.forge.failing["open_issue"] = Failure(Trouble.CONFLICT, "not now")
    tally = await world.says(FAILED)
    assert tally.problems == (f"{SHOP}: not now",)
    assert world.issues.rows[1].due_at == NOON + timedelta(seconds=30)


async def test_metrics_have_it_under_its_name(world: World) -> None:
    told = ToldRows()
    await tick(world, world.forge, ActOptions(), Loop(world.clock, told))
    assert told.stages == ["issues"]


async def test_one_that_people_have_closed_is_left_as_it_is_where_nothing_is_left_to_say(world: World) -> None:
    await world.says(FAILED)
    world.shop.issues = {number: replace(each, is_open=False) for number, each in world.shop.issues.items()}
    await world.says()
    assert world.writes == ["open_issue"]
