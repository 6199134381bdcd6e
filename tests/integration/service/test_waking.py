"""How the service wakes its stages: again and again, whatever the clock of the machine says."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

import pytest
import pytest_asyncio
from apscheduler.schedulers import base

from bot.domain.clock import ManualClock
from bot.fleet import stage as stage_module
from bot.fleet.bot import Bot
from bot.fleet.stage import TickOutcome
from bot.fleet.stages import STAGES
from bot.fleet.wiring.opening import open_bot
from bot.service import running
from bot.settings import load
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
    path.write_text(f"github: {{token_file: {tmp_path}/token}}\nstore: {{url: '{url}'}}\n")
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
        def now(cls, tz: tzinfo | None = None) -> datetime:
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
    text = f"github: {{token_file: {tmp_path}/token}}\nstore: {{url: '{url}'}}\nschedule: {{images: 30d}}\n"
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
