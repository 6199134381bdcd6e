"""The fleet issue on a real store with the fake forge: kept current, and each tick heeded once."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, Trouble
from bot.domain.repositories.issue import Issue
from bot.domain.rollouts.rebuild import RebuildState
from bot.fleet.act.retiring.retire import retire
from bot.fleet.act.retiring.rows import LeavingStore
from bot.fleet.report.fleet_issue.rows import FleetIssueStore
from bot.fleet.report.fleet_issue.tick import EVERY, FleetIssueOptions, FleetIssueTally, tick
from bot.reconcile.loop import Loop
from bot.store.engine.database import open_database
from bot.store.orders.orders import OrdersStore
from bot.store.rows.rollouts.tables import rebuilds
from tests.fakes.forge import FakeForge
from tests.fakes.repository import FakeRepository
from tests.integration.store.filling import Stores
from tests.migrated import new_sqlite

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
HOME = "contoso/platform"
SHOP = "contoso/shop-0000"


@dataclass(slots=True)
class World:
    stores: Stores
    forge: FakeForge
    home: FakeRepository
    options: FleetIssueOptions = FleetIssueOptions(HOME)  # noqa: RUF009 - frozen

    async def tick(self, stores: Stores | None = None) -> FleetIssueTally:
        stores = stores or self.stores
        found = await tick(stores.fleet_issue, self.forge, self.options, Loop(self.stores.clock))
        self.stores.clock.advance(EVERY)
        return found

    @property
    def issue(self) -> Issue:
        [found] = self.home.issues.values()
        return found

    def edit(self, body: str, *, is_open: bool = True) -> None:
        """As a person does."""
        self.home.issues[self.issue.number] = replace(self.issue, body=body, is_open=is_open)

    def check(self, *words: str) -> None:
        """Ticks the boxes whose lines have these words."""
        lines = self.issue.body.splitlines()
        chosen = [line.replace("[ ]", "[x]") if all(word in line for word in words) else line for line in lines]
        assert chosen != lines
        self.edit("\r\n".join(chosen))

    async def values(self, *names: str) -> list[tuple[object, ...]]:
        async with self.stores.database.reading() as connection:
            rows = await connection.execute(select(*(rebuilds.c[name] for name in names)).order_by(rebuilds.c.id))
            return [tuple(row) for row in rows]

    async def fails(self) -> None:
        async with self.stores.database.transaction() as connection:
            ended = {"state": RebuildState.FAILED.value, "reason": "the build failed", "ended_at": NOON}
            await connection.execute(update(rebuilds).values(**ended))

    async def journal(self) -> list[tuple[str, str, str]]:
        return [(each.what, each.subject, each.word.who) for each in await self.stores[OrdersStore].entries(10)]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    database = await open_database(new_sqlite(tmp_path / "store.db"))
    clock = ManualClock(NOON)
    stores = Stores.of_worker(database, clock, "first")
    await stores.fill()
    await stores.plan_all()
    forge = FakeForge(clock)
    yield World(stores, forge, forge.add(HOME, {"README.md": b""}))
    await database.close()


async def test_one_issue_is_opened_and_the_same_words_are_not_written_again(world: World) -> None:
    await world.tick()
    assert "### Waiting to begin" in world.issue.body
    before = world.issue
    await world.tick()
    assert world.issue == before
    assert "change_issue" not in [call for call, _ in world.forge.asked]


async def test_it_follows_the_facts(world: World) -> None:
    await world.tick()
    await world.fails()
    await world.tick()
    assert "try again" in world.issue.body
    assert "### Waiting to begin" not in world.issue.body


async def test_a_ticked_hold_is_heeded_once_and_stands_in_the_journal(world: World) -> None:
    await world.tick()
    world.check("hold", SHOP)
    assert (await world.tick()).heeded == 1
    assert await world.values("held_because") == [(f"held by {HOME}#1: ticked in the fleet issue",)]
    assert "[x]" not in world.issue.body
    assert f"held by {HOME}" in world.issue.body
    assert (await world.tick()).heeded == 0
    assert await world.journal() == [("hold", SHOP, f"{HOME}#1")]


async def test_rebuild_now_lets_begin_what_waits(world: World) -> None:
    await world.tick()
    world.check("rebuild now", SHOP)
    await world.tick()
    assert await world.values("at_request") == [(True,)]


async def test_a_failure_is_tried_again(world: World) -> None:
    await world.fails()
    await world.tick()
    world.check("try again", SHOP)
    await world.tick()
    assert await world.values("state") == [("failed",), ("planned",)]
    assert await world.journal() == [("retry", SHOP, f"{HOME}#1")]


async def test_a_tick_whose_box_could_not_be_emptied_is_not_heeded_twice(world: World) -> None:
    await world.tick()
    world.check("hold", SHOP)
    world.forge.failing["change_issue"] = Failure(Trouble.UNREACHABLE, "HTTP 502")
    assert (await world.tick()).heeded == 1
    world.forge.failing.clear()
    world.stores.clock.advance(timedelta(hours=1))
    assert "[x]" in world.issue.body
    assert (await world.tick()).heeded == 0
    assert "[x]" not in world.issue.body
    assert len(await world.journal()) == 1


async def test_the_same_box_counts_anew_in_the_next_wording(world: World) -> None:
    await world.tick()
    for expected in (1, 1):
        world.check("rebuild now", SHOP)
        assert (await world.tick()).heeded == expected
    assert len(await world.journal()) == 2


async def test_a_tick_in_words_that_were_written_and_not_noted_counts(world: World) -> None:
    await world.tick()
    world.check("hold", SHOP)
    world.forge.after["change_issue"] = Failure(Trouble.UNREACHABLE, "the answer was lost")
    await world.tick()
    world.forge.after.clear()
    world.stores.clock.advance(timedelta(hours=1))
    world.check("rebuild now", SHOP)
    assert (await world.tick()).heeded == 1
    assert [what for what, _, _ in await world.journal()] == ["retry", "hold"]


async def test_what_makes_no_sense_is_told_once_and_changes_nothing(world: World) -> None:
    await world.tick()
    world.edit(f"{world.issue.body}\n- [x] x <!-- hold contoso/unknown -->")
    told = await world.tick()
    assert told.problems == (
        "fleet issue: hold contoso/unknown: no repository 'contoso/unknown' is known; write owner/name",
    )
    assert (await world.tick()).problems == ()
    assert await world.journal() == []


async def test_where_ticks_are_not_heeded_there_is_no_box(world: World) -> None:
    world.options = replace(world.options, ticks=False)
    await world.tick()
    world.edit(f"{world.issue.body}\n- [x] x <!-- hold {SHOP} -->")
    assert (await world.tick()).heeded == 0
    assert "[x]" not in world.issue.body


async def test_a_closed_one_is_left_alone_until_it_is_opened_again(world: World) -> None:
    await world.tick()
    world.edit(world.issue.body, is_open=False)
    await world.fails()
    await world.tick()
    assert "try again" not in world.issue.body
    world.edit(world.issue.body)
    await world.tick()
    assert "try again" in world.issue.body


async def test_one_that_a_lost_answer_has_left_is_adopted(world: World) -> None:
    world.forge.after["open_issue"] = Failure(Trouble.UNREACHABLE, "the answer was lost")
    await world.tick()
    world.forge.after.clear()
    world.stores.clock.advance(timedelta(hours=1))
    await world.tick()
    assert world.issue.is_open


async def test_one_that_was_deleted_is_opened_again(world: World) -> None:
    await world.tick()
    world.home.issues.clear()
    await world.tick()
    assert world.issue.is_open


async def test_without_the_right_that_is_told(world: World) -> None:
    world.forge.failing["find_issue"] = Failure(Trouble.DENIED, "HTTP 403", advice="grant issues: write")
    told = await world.tick()
    assert told.problems == (f"the fleet issue in {HOME}: HTTP 403; grant issues: write",)


async def test_of_two_replicas_one_looks_at_it(world: World) -> None:
    await world.stores[FleetIssueStore].expect(HOME)
    claimed = await world.stores[FleetIssueStore].queue(HOME).claim(world.stores.clock.now(), 10)
    assert len(claimed) == 1
    await world.tick(world.stores.other("second"))
    assert world.home.issues == {}


async def test_retiring_closes_it_and_it_stays_closed(world: World) -> None:
    await world.tick()
    [traces] = await world.stores[LeavingStore].traces()
    assert (traces.repository.name, traces.fleet_issue) == (HOME, world.issue.number)
    await retire(traces, world.forge, "the bot retires", dry_run=False)
    await world.tick()
    assert not world.issue.is_open
