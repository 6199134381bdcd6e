"""Which stages are woken, and when."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.fleet.heartbeats import Heartbeats
from bot.fleet.stage import LONGEST_SLEEP, Bot, Stage, TickOutcome
from bot.service.waking import Waking
from bot.store.engine.queue.news import StoreNews
from bot.store.rows.bases.tables import bases
from bot.store.rows.tables import tasks

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
EVERY = timedelta(seconds=5)
SECOND = timedelta(seconds=1)


async def nothing(_: Bot) -> TickOutcome:
    return TickOutcome()


WATCH = Stage("watch", nothing, EVERY, claims=(bases,))
PLAN = Stage("plan", nothing, EVERY)
WRITTEN = StoreNews(was_written=True)


@pytest.fixture
def beats() -> Heartbeats:
    """Both stages have ticked at noon."""
    beats = Heartbeats()
    beats.expect({WATCH.name: WATCH.sleeps, PLAN.name: PLAN.sleeps}, NOON)
    return beats


@pytest.fixture
def waking(beats: Heartbeats) -> Waking:
    return Waking((WATCH, PLAN), beats)


def test_without_news_nobody_is_woken(waking: Waking) -> None:
    waking.note_news(StoreNews(was_written=False))
    assert waking.woken(NOON + EVERY) == []


def test_what_was_written_wakes_every_stage_once(waking: Waking) -> None:
    waking.note_news(WRITTEN)
    assert waking.woken(NOON + EVERY) == [(WATCH, timedelta()), (PLAN, timedelta())]
    assert waking.woken(NOON + 2 * EVERY) == []


def test_what_falls_due_wakes_those_who_claim_it(waking: Waking) -> None:
    waking.note_news(StoreNews(was_written=False, due=frozenset({bases.name})))
    assert waking.woken(NOON + EVERY) == [(WATCH, timedelta())]
    waking.note_news(StoreNews(was_written=False, due=frozenset({tasks.name})))
    assert waking.woken(NOON + EVERY) == []


def test_a_stage_waits_for_its_interval_since_its_last_tick_began(waking: Waking) -> None:
    waking.note_news(WRITTEN)
    assert waking.woken(NOON + SECOND) == [(WATCH, EVERY - SECOND), (PLAN, EVERY - SECOND)]


def test_what_comes_during_a_tick_is_a_reason_for_another(waking: Waking, beats: Heartbeats) -> None:
    beats.began(WATCH.name, NOON)
    waking.note_news(WRITTEN)
    assert waking.woken(NOON + EVERY) == [(PLAN, timedelta())]
    beats.ended(WATCH.name, NOON + EVERY)
    assert waking.woken(NOON + EVERY) == [(WATCH, timedelta())]


def test_a_stage_that_broke_is_woken_again(waking: Waking) -> None:
    waking.broke(PLAN)
    assert waking.woken(NOON + SECOND) == [(PLAN, EVERY - SECOND)]


def test_a_clock_that_was_set_back_holds_up_nobody(waking: Waking) -> None:
    waking.note_news(WRITTEN)
    assert {wait for _, wait in waking.woken(NOON - timedelta(days=365))} == {timedelta()}


@pytest.mark.parametrize("every", [EVERY, timedelta(minutes=10)])
def test_a_stage_sleeps_for_a_minute_or_its_interval(every: timedelta) -> None:
    assert Stage("retention", nothing, every).sleeps == max(every, LONGEST_SLEEP)
