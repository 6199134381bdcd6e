"""How the service and a single pass end when work is cut off in its middle."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import text

from bot.domain.clock import SystemClock
from bot.domain.failure import Failure, Trouble
from bot.fleet.report.rows import ReportStore
from bot.fleet.stage import Bot, TickOutcome
from bot.fleet.stages import STAGES, one_pass
from bot.fleet.wiring.opening import open_bot
from bot.reconcile.work import Claimed
from bot.service import one_off as single
from bot.service import running
from bot.settings import Settings, load
from bot.store.engine.database import SchemaChanged
from bot.store.engine.failures import NoRoom
from bot.store.rows.tables import announce
from bot.store.views.rollouts import RolloutViewsStore
from tests.full_disk import without_room
from tests.migrated import new_sqlite


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """They could start a bot; nothing that they name is asked here."""
    (tmp_path / "token").write_text("ghp_x")
    path, url = tmp_path / "freshness.yaml", new_sqlite(tmp_path / "freshness.db")
    path.write_text(
        f"github: {{token_file: {tmp_path}/token, repositories: {{include: [contoso/*]}}}}\n"
        f"store: {{url: '{url}'}}\n"
    )
    return load(path)


@pytest_asyncio.fixture
async def bot(settings: Settings) -> AsyncIterator[Bot]:
    async with open_bot(settings, SystemClock()) as bot:
        async with bot.database.transaction() as connection:
            await announce(connection, "rollout:1", bot.clock.now())
        yield bot


async def claimed(bot: Bot) -> Sequence[Claimed]:
    return await bot.stores[ReportStore].messages.claim(bot.clock.now(), 1)


async def test_what_a_pass_had_begun_when_it_was_cut_off_counts_as_attempted(
    bot: Bot, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def cut_off(bot: Bot) -> list[TickOutcome]:
        assert await claimed(bot)
        raise asyncio.CancelledError

    monkeypatch.setattr(single, "one_pass", cut_off)
    with pytest.raises(asyncio.CancelledError):
        await single.pass_once(settings, SystemClock())
    (message,) = await claimed(bot)
    assert message.attempts == 2


async def test_a_pass_that_comes_to_its_end_leaves_nothing_attempted(
    bot: Bot, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def whole(bot: Bot) -> list[TickOutcome]:
        assert await claimed(bot)
        return []

    monkeypatch.setattr(single, "one_pass", whole)
    await single.pass_once(settings, SystemClock())
    (message,) = await claimed(bot)
    assert message.attempts == 1


async def test_a_tick_that_does_not_end_in_time_is_cut_off_without_a_trace(
    bot: Bot, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stop = asyncio.Event()

    async def endless(name: str, bot: Bot) -> TickOutcome:
        stop.set()
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    monkeypatch.setattr(running, "run_stage", endless)
    monkeypatch.setattr(running, "GRACE", running.GRACE / 1000)
    with caplog.at_level(logging.WARNING):
        await running.serve(bot, stop)
    assert [record for record in caplog.records if record.exc_info] == []


async def test_a_service_stops_in_order_while_its_database_does_not_answer(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unanswered(*_: object, **__: object) -> int:
        raise Failure(Trouble.UNREACHABLE, "the database does not answer")

    stop = asyncio.Event()
    stop.set()
    monkeypatch.setattr(running, "STAGES", ())
    monkeypatch.setattr(running, "give_all_back", unanswered)
    await running.serve(bot, stop)


async def test_a_service_begins_with_a_store_that_can_only_be_read(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its pages tell then how things stand, and what to do."""

    async def refused(*_: object) -> int:
        raise NoRoom(Trouble.UNREACHABLE, "the database has no room left")

    stop = asyncio.Event()
    stop.set()
    monkeypatch.setattr(running, "STAGES", ())
    monkeypatch.setattr(running, "free_leases_of_the_dead", refused)
    await running.serve(bot, stop)


async def test_a_stage_that_finds_no_room_says_so_and_goes_on_once_there_is_some(bot: Bot) -> None:
    async def write(bot: Bot) -> TickOutcome:
        for number in range(100):
            async with bot.database.transaction() as connection:
                await announce(connection, f"rollout:{number:0120}", bot.clock.now())
        return TickOutcome({"written": 100})

    stage = replace(STAGES[0], name="write", tick=write)
    async with without_room(bot.database):
        [outcome] = await one_pass(bot, [stage])
        assert outcome.broke
        assert "the database has no room left" in outcome.problems[0]
        assert await bot.stores[RolloutViewsStore].rollouts(10) == []
    [outcome] = await one_pass(bot, [stage])
    assert (outcome.broke, outcome.figures) == (False, {"written": 100})


async def migrate_as_a_newer_version(bot: Bot) -> None:
    async with bot.database.transaction() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))


async def test_a_service_ends_once_a_newer_version_has_migrated_the_database(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticked = asyncio.Event()

    async def first(_: Bot) -> TickOutcome:
        await migrate_as_a_newer_version(bot)
        return TickOutcome()

    async def second(_: Bot) -> TickOutcome:
        ticked.set()
        return TickOutcome()

    later = replace(STAGES[0], name="second", tick=second, every=timedelta(milliseconds=50))
    monkeypatch.setattr(
        running, "STAGES", (replace(later, name="first", tick=first, every=timedelta(hours=1)), later)
    )
    async with asyncio.timeout(120):
        with pytest.raises(SchemaChanged, match="another version of the bot has changed"):
            await running.serve(bot, asyncio.Event())


async def test_no_stage_works_on_a_schema_of_another_version(bot: Bot) -> None:
    async def unreachable(_: Bot) -> TickOutcome:
        raise AssertionError("it ticked")

    await migrate_as_a_newer_version(bot)
    with pytest.raises(SchemaChanged):
        await one_pass(bot, [replace(STAGES[0], tick=unreachable)])
