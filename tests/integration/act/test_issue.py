"""The one issue of a repository: opened, edited in place, closed by itself, on a real store with the fake forge."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select, update

from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, Trouble
from bot.domain.repositories.issue import IssueSection
from bot.domain.rollouts.journal import Word
from bot.domain.rollouts.rebuild import Action, RebuildState
from bot.domain.rollouts.timing.age import AgeStanding
from bot.fleet.act.issue import tick as stage
from bot.fleet.act.issue.rows import IssuesStore
from bot.fleet.act.ports import ActOptions
from bot.reconcile.loop import Loop
from bot.store.engine.database import open_database
from bot.store.orders.orders import OrdersStore
from bot.store.rows.bases.tables import incidents
from bot.store.rows.repositories.ages import workflow_builds
from bot.store.rows.repositories.issues import say, unsay
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.rollouts.tables import rebuilds
from bot.store.views.repositories import RepositoryViewsStore
from bot.views.repositories.explanation import IssueSaid
from tests.fakes.forge import FakeForge
from tests.fakes.repository import CONFIG, FakeRepository
from tests.integration.store.filling import ASPNET, Stores
from tests.migrated import new_sqlite

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
SHOP = "contoso/shop-0000"
AGE = IssueSection("posture", "Nothing rebuilds this", "The schedule is disabled.", "the schedule is disabled")


@dataclass(slots=True)
class World:
    stores: Stores
    forge: FakeForge
    shop: FakeRepository

    async def tick(self) -> stage.IssueTally:
        return await stage.tick(self.stores[IssuesStore], self.forge, ActOptions(), Loop(self.stores.clock))

    async def say(self, section: IssueSection) -> None:
        async with self.stores.database.transaction() as connection:
            await say(connection, 1, section, self.stores.clock.now())

    async def unsay(self, name: str) -> None:
        async with self.stores.database.transaction() as connection:
            await unsay(connection, 1, name, self.stores.clock.now())

    async def ends(self, rebuild: int, state: RebuildState, reason: str) -> None:
        async with self.stores.database.transaction() as connection:
            values = {"state": state.value, "reason": reason}
            await connection.execute(update(rebuilds).where(rebuilds.c.id == rebuild).values(**values))

    async def incidents(self) -> list[tuple[str, str, bool]]:
        async with self.stores.database.reading() as connection:
            rows = await connection.execute(select(incidents))
            return [(row.subject, row.detail, row.cleared_at is None) for row in rows]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    database = await open_database(new_sqlite(tmp_path / "store.db"))
    clock = ManualClock(NOON)
    stores = Stores.of_worker(database, clock, "first")
    await stores.fill()
    await stores.plan_all()
    forge = FakeForge(clock)
    shop = forge.add(SHOP, {"README.md": b""})
    async with database.transaction() as connection:
        await connection.execute(update(repositories).values(node_id=shop.node_id))
    yield World(stores, forge, shop)
    await database.close()


async def test_nothing_to_say_is_no_issue(world: World) -> None:
    assert await world.tick() == stage.IssueTally()
    assert world.shop.issues == {}


async def test_a_failure_opens_one_and_a_success_closes_it(world: World) -> None:
    await world.ends(1, RebuildState.FAILED, "the build failed")
    await world.tick()
    [issue] = world.shop.issues.values()
    assert issue.is_open
    assert "### Rebuilds that failed\n\n- `aspnet:10.0`: the build failed\n" in issue.body
    assert (await world.tick()).done == 0, "the same words are not written again"
    await world.ends(1, RebuildState.SUCCEEDED, "proven")
    await world.tick()
    [issue] = world.shop.issues.values()
    assert not issue.is_open
    assert "the build failed" not in issue.body


async def test_a_workflow_that_a_person_must_see_to_stands_there_until_it_is_mended(world: World) -> None:
    async def standing(value: str) -> None:
        async with world.stores.database.transaction() as connection:
            await connection.execute(delete(workflow_builds))
            values = {
                "standing": value,
                "said": "GitHub has disabled it; enable it again",
                "max_age_seconds": 604800,
            }
            known = {"repository_id": 1, "workflow": "weekly.yml", "builds": {}, "due_at": NOON}
            await connection.execute(insert(workflow_builds).values(**known, **values))

    await standing(AgeStanding.DISABLED.value)
    await world.tick()
    [issue] = world.shop.issues.values()
    assert "### Images that are not rebuilt in time\n\n- `weekly.yml`: GitHub has disabled it; enable" in issue.body
    await standing(AgeStanding.FRESH.value)
    await world.tick()
    assert [issue.is_open for issue in world.shop.issues.values()] == [False]


async def test_what_is_only_told_mends_no_failure(world: World) -> None:
    await world.ends(1, RebuildState.FAILED, "the build failed")
    world.stores.clock.advance(timedelta(hours=1))
    await world.stores.see({ASPNET: "c"})
    await world.stores.assess_all()
    await world.stores.plan_all(action=Action.NOTIFY, branch=None)
    await world.ends(2, RebuildState.SUCCEEDED, "told")
    await world.tick()
    assert [issue.is_open for issue in world.shop.issues.values()] == [True]


async def test_nothing_is_written_while_everything_is_paused(world: World) -> None:
    await world.stores[OrdersStore].pause(None, Word("Ann", "we move"))
    await world.ends(1, RebuildState.FAILED, "the build failed")
    await world.tick()
    assert world.shop.issues == {}
    await world.stores[OrdersStore].resume(None, Word("Ann", "we have moved"))
    await world.tick()
    assert len(world.shop.issues) == 1


async def test_all_that_there_is_to_say_stands_in_the_same_issue(world: World) -> None:
    await world.say(AGE)
    await world.tick()
    await world.ends(1, RebuildState.FAILED, "red")
    await world.tick()
    [issue] = world.shop.issues.values()
    assert "The schedule is disabled." in issue.body
    assert "red" in issue.body
    await world.unsay("posture")
    await world.tick()
    [issue] = world.shop.issues.values()
    assert "The schedule is disabled." not in issue.body
    assert issue.is_open


async def test_what_people_write_stays_and_a_closed_one_is_opened_only_for_news(world: World) -> None:
    await world.say(AGE)
    await world.tick()
    [(number, issue)] = world.shop.issues.items()
    world.shop.issues[number] = replace(issue, body=f"{issue.body}\n\nOn it.", is_open=False)
    await world.tick()
    assert not world.shop.issues[number].is_open
    await world.say(replace(AGE, text="Still disabled."))
    await world.tick()
    changed = world.shop.issues[number]
    assert changed.is_open
    assert "Still disabled." in changed.body
    assert "On it." in changed.body


async def test_one_that_was_deleted_is_opened_again_with_news(world: World) -> None:
    await world.say(AGE)
    await world.tick()
    world.shop.issues.clear()
    await world.say(replace(AGE, text="Still disabled."))
    await world.tick()
    assert len(world.shop.issues) == 1


async def test_one_that_a_lost_answer_has_left_is_adopted(world: World) -> None:
    world.forge.after["open_issue"] = Failure(Trouble.UNREACHABLE, "the answer was lost")
    await world.say(AGE)
    await world.tick()
    world.forge.after.clear()
    world.stores.clock.advance(timedelta(hours=1))
    await world.tick()
    assert len(world.shop.issues) == 1


async def test_a_repository_that_has_opted_out_is_written_nothing(world: World) -> None:
    world.shop.commit_to("main", {CONFIG: b"enabled: false\n"})
    await world.say(AGE)
    await world.tick()
    assert world.shop.issues == {}


@pytest.mark.parametrize("kept_by", ["archived", "not understood", "not shown"])
async def test_what_could_not_be_said_is_said_once_it_can_be(world: World, kept_by: str) -> None:
    world.shop.is_archived = kept_by == "archived"
    world.shop.is_gone = kept_by == "not shown"
    if kept_by == "not understood":
        world.shop.commit_to("main", {CONFIG: b"enabled: [\n"})
    await world.say(AGE)
    await world.tick()
    assert world.shop.issues == {}
    world.shop.is_archived = world.shop.is_gone = False
    if kept_by == "not understood":
        world.shop.commit_to("main", {CONFIG: b"enabled: true\n"})
    world.stores.clock.advance(timedelta(days=1))
    await world.tick()
    assert [issue.is_open for issue in world.shop.issues.values()] == [True]


async def test_an_archived_repository_is_written_nothing(world: World) -> None:
    world.shop.is_archived = True
    await world.say(AGE)
    assert await world.tick() == stage.IssueTally(1)
    assert world.shop.issues == {}


async def test_without_the_right_that_is_told_once_and_tried_again_after_a_day(world: World) -> None:
    world.forge.failing["find_issue"] = Failure(Trouble.DENIED, "HTTP 403", advice="grant issues: write")
    await world.say(AGE)
    assert (await world.tick()).problems == ()
    told = "issues cannot be written at contoso (HTTP 403; grant issues: write); `freshness-bot explain` "
    [(subject, detail, is_open)] = await world.incidents()
    assert (subject, is_open) == ("issues:contoso", True)
    assert detail.startswith(told)
    said = (await world.stores[RepositoryViewsStore].explain(SHOP)).issue
    assert said == IssueSaid((AGE,), None, "HTTP 403; grant issues: write")
    world.forge.failing.clear()
    world.stores.clock.advance(timedelta(days=1))
    await world.tick()
    assert len(world.shop.issues) == 1
    assert [is_open for _, _, is_open in await world.incidents()] == [False]
