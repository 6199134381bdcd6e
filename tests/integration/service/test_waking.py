"""How the service wakes its stages: again and again, whatever the clock of the machine says."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from apscheduler.schedulers import base
from sqlalchemy import Table, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.clock import ManualClock
from bot.fleet import stage as stage_module
from bot.fleet.stage import Bot, Stage, TickOutcome, run_stage
from bot.fleet.stages import STAGES
from bot.fleet.wiring.opening import open_bot
from bot.service import running
from bot.settings import load
from bot.store.engine.queue import claiming
from bot.store.engine.queue.leases import leased_tables
from bot.store.engine.queue.news import Newsboard, StoreNews
from bot.store.rows.bases.tables import bases
from tests.migrated import new_sqlite

YEAR = timedelta(days=365)


@pytest.fixture
def sleepless(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stage ticks again and again, also where nothing is new."""
    monkeypatch.setattr(stage_module, "LONGEST_SLEEP", timedelta())


@pytest_asyncio.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Bot]:
    (tmp_path / "token").write_text("ghp_x")
    path, url = tmp_path / "freshness.yaml", new_sqlite(tmp_path / "freshness.db")
    path.write_text(
        f"github: {{token_file: {tmp_path}/token, repositories: {{include: [contoso/*]}}}}\n"
        f"store: {{url: '{url}'}}\n"
    )
    async with open_bot(load(path), ManualClock(datetime.now(UTC))) as bot:
        yield bot


@pytest.mark.usefixtures("sleepless")
async def test_stages_are_woken_again_after_a_clock_that_was_a_year_ahead(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, stop = bot.clock, asyncio.Event()
    assert isinstance(clock, ManualClock)

    class MachineTime(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return clock.now().astimezone(tz)

    monkeypatch.setattr(base, "datetime", MachineTime)
    monkeypatch.setattr(running, "datetime", MachineTime)
    monkeypatch.setattr(running, "_CLOCK_EVERY", timedelta(milliseconds=10))
    ticks: list[datetime] = []

    async def tick(_: Bot) -> TickOutcome:
        ticks.append(clock.now())
        clock.advance(-YEAR if len(ticks) == 1 else often.every)
        if len(ticks) == 3:
            stop.set()
        return TickOutcome()

    clock.advance(YEAR)
    often = replace(STAGES[0], name="tick", tick=tick, every=timedelta(milliseconds=10))
    monkeypatch.setattr(running, "STAGES", (often,))
    async with asyncio.timeout(10):
        await running.serve(bot, stop)
    assert ticks == [ticks[1] + YEAR, ticks[1], ticks[1] + often.every]


async def test_the_longest_interval_that_the_operator_has_set_is_no_sign_of_a_clock_that_was_ahead(
    tmp_path: Path,
) -> None:
    (tmp_path / "token").write_text("ghp_x")
    path, url = tmp_path / "freshness.yaml", new_sqlite(tmp_path / "freshness.db")
    github = f"github: {{token_file: {tmp_path}/token, repositories: {{include: [contoso/*]}}}}\n"
    text = f"{github}store: {{url: '{url}'}}\nschedule: {{images: 30d}}\n"
    path.write_text(text)
    async with open_bot(load(path), ManualClock(datetime.now(UTC))) as bot:
        assert bot.worker.interval == timedelta(days=30)


@pytest.mark.usefixtures("sleepless")
async def test_a_stage_does_not_begin_a_tick_before_its_last_has_ended(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, told = asyncio.Event(), list[str]()

    async def tick(_: Bot) -> TickOutcome:
        told.append("begun")
        for _turn in range(20):
            await asyncio.sleep(0.001)
        told.append("ended")
        if len(told) == 6:
            stop.set()
        return TickOutcome()

    often = replace(STAGES[0], name="tick", tick=tick, every=timedelta(milliseconds=1))
    monkeypatch.setattr(running, "STAGES", (often,))
    async with asyncio.timeout(10):
        await running.serve(bot, stop)
    assert told[:6] == ["begun", "ended"] * 3


async def test_first_ticks_come_one_after_the_other(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    stop, told = asyncio.Event(), list[str]()

    def ticking(name: str) -> Stage:
        async def tick(_: Bot) -> TickOutcome:
            told.append(f"{name} begun")
            for _turn in range(20):
                await asyncio.sleep(0.001)
            told.append(f"{name} ended")
            if name == "c":
                stop.set()
            return TickOutcome()

        return replace(STAGES[0], name=name, tick=tick)

    monkeypatch.setattr(running, "_APART", timedelta())
    monkeypatch.setattr(running, "STAGES", tuple(map(ticking, "abc")))
    async with asyncio.timeout(10):
        await running.serve(bot, stop)
    assert told == [f"{name} {what}" for name in "abc" for what in ("begun", "ended")]


async def test_a_first_tick_that_goes_on_does_not_keep_the_next_stage_from_its_own(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = asyncio.Event()

    async def wait(_: Bot) -> TickOutcome:
        await stop.wait()
        return TickOutcome()

    async def end(_: Bot) -> TickOutcome:
        stop.set()
        return TickOutcome()

    monkeypatch.setattr(running, "_FIRST_WITHIN", timedelta(milliseconds=10))
    stages = replace(STAGES[0], name="a", tick=wait), replace(STAGES[0], name="b", tick=end)
    monkeypatch.setattr(running, "STAGES", stages)
    async with asyncio.timeout(10):
        await running.serve(bot, stop)


@pytest.fixture
def waking_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The question is asked all the time, and a stage of which nothing is new sleeps for longer than a test."""
    monkeypatch.setattr(running, "NEWS_EVERY", timedelta(milliseconds=10))
    monkeypatch.setattr(stage_module, "LONGEST_SLEEP", timedelta(hours=1))


@dataclass
class Ticking:
    """A stage that claims bases, in a service: each tick does `then`, and ends the service at the `last`."""

    bot: Bot
    last: int
    then: Callable[[int], Awaitable[TickOutcome | None]]
    ticks: int = 0

    async def serve(self, monkeypatch: pytest.MonkeyPatch) -> None:
        stop = asyncio.Event()

        async def tick(_: Bot) -> TickOutcome:
            self.ticks += 1
            if self.ticks == self.last:
                stop.set()
            return await self.then(self.ticks) or TickOutcome()

        stage = Stage("tick", tick, timedelta(milliseconds=1), claims=(bases,))
        monkeypatch.setattr(running, "STAGES", (stage,))
        async with asyncio.timeout(20):
            await running.serve(self.bot, stop)


async def _write(bot: Bot, due_at: datetime) -> None:
    async with bot.database.transaction() as connection:
        base = {"registry": "r.example", "repository": "a", "tag": str(due_at), "due_at": due_at}
        await connection.execute(insert(bases).values(**base))


@pytest.mark.usefixtures("waking_at_once")
async def test_what_is_written_wakes_a_stage_that_sleeps(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    async def then(ticks: int) -> None:
        if ticks == 1:
            await _write(bot, bot.clock.now() + YEAR)

    await Ticking(bot, 2, then).serve(monkeypatch)


@pytest.mark.usefixtures("waking_at_once")
async def test_what_falls_due_wakes_a_stage_that_sleeps(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = bot.clock
    assert isinstance(clock, ManualClock)
    await _write(bot, clock.now() + timedelta(hours=1))

    async def then(ticks: int) -> None:
        if ticks == 1:
            asyncio.get_running_loop().call_soon(clock.advance, timedelta(hours=1))

    await Ticking(bot, 2, then).serve(monkeypatch)


@pytest.mark.usefixtures("waking_at_once")
async def test_a_stage_that_broke_ticks_again(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    async def then(_: int) -> TickOutcome:
        return TickOutcome(broke=True)

    await Ticking(bot, 3, then).serve(monkeypatch)


@pytest.mark.usefixtures("waking_at_once")
async def test_a_stage_that_finds_nothing_new_ticks_once(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0
    news = Newsboard.news

    async def counted(board: Newsboard, now: datetime) -> StoreNews:
        nonlocal asked
        asked += 1
        if asked == 20:
            await _write(bot, bot.clock.now() + YEAR)
        return await news(board, now)

    async def then(_: int) -> None:
        ticked_at.append(asked)

    ticked_at: list[int] = []
    monkeypatch.setattr(Newsboard, "news", counted)
    await Ticking(bot, 2, then).serve(monkeypatch)
    assert ticked_at[0] < 20 <= ticked_at[1]


async def test_a_stage_says_from_which_tables_it_claims(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    claimed: set[str] = set()

    async def noted(_: AsyncConnection, table: Table, *__: Any) -> list[int]:
        claimed.add(table.name)
        return []

    monkeypatch.setattr(claiming, "_find_due", noted)
    undeclared: dict[str, set[str]] = {}
    for _ in range(2):
        for stage in STAGES:
            claimed.clear()
            await run_stage(stage, bot)
            if unsaid := claimed - {table.name for table in stage.claims}:
                undeclared[stage.name] = unsaid
    assert undeclared == {}


def test_each_leased_table_wakes_a_stage() -> None:
    assert {table for stage in STAGES for table in stage.claims} == set(leased_tables())
