"""When a stage counts as late."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.fleet.heartbeats import LATE, LONGEST_TICK, Heartbeats

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
EVERY = timedelta(seconds=20)
SECOND = timedelta(seconds=1)


@pytest.fixture
def beats() -> Heartbeats:
    made = Heartbeats()
    made.expect({"watch": EVERY}, NOON)
    return made


def test_a_stage_that_never_began_is_late_after_its_interval_and_some_patience(beats: Heartbeats) -> None:
    assert beats.late(NOON + EVERY + LATE) == []
    assert beats.late(NOON + EVERY + LATE + SECOND) == ["watch"]


def test_a_long_tick_is_not_late_until_it_hangs(beats: Heartbeats) -> None:
    beats.began("watch", NOON)
    assert beats.late(NOON + LONGEST_TICK) == []
    assert beats.late(NOON + LONGEST_TICK + SECOND) == ["watch"]


def test_the_wait_for_the_next_tick_counts_from_the_end_of_the_last(beats: Heartbeats) -> None:
    beats.began("watch", NOON)
    ended = NOON + timedelta(minutes=30)
    beats.ended("watch", ended)
    assert beats.late(ended + EVERY) == []
    assert beats.late(ended + EVERY + LATE + SECOND) == ["watch"]


def test_before_the_service_runs_nobody_is_late() -> None:
    assert Heartbeats().late(NOON) == []
