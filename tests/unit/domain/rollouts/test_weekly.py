"""The weekly rebuild is spread over hours, each name always at the same time."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.cron import Cron
from bot.domain.rollouts.timing.age import Weekly

MONDAY = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
HOUR, WEEK = timedelta(hours=1), timedelta(weeks=1)


def test_it_begins_in_the_night_to_monday_over_six_hours_where_the_operator_says_nothing() -> None:
    weekly = Weekly()
    assert (weekly.last(MONDAY), weekly.last(MONDAY - HOUR)) == (MONDAY, MONDAY - WEEK)
    assert (weekly.following(MONDAY), weekly.following(MONDAY - HOUR)) == (MONDAY + WEEK, MONDAY)
    assert weekly.over == 6 * HOUR


@given(st.text(), st.timedeltas(timedelta(0), timedelta(days=2)))
def test_a_turn_lies_within_those_hours_to_the_second(name: str, over: timedelta) -> None:
    offset = Weekly(over=over).offset(name)
    assert timedelta(0) <= offset <= over
    assert offset.microseconds == 0


def test_a_repository_has_one_turn_however_its_name_is_written_and_a_fleet_fills_all_hours() -> None:
    weekly = Weekly(Cron("0 0 * * *"), 8 * HOUR)
    assert weekly.offset("Contoso/Shop") == weekly.offset("contoso/shop")
    turns = [weekly.offset(f"contoso/{number}") // HOUR for number in range(400)]
    assert set(turns) == set(range(8))
    assert max(turns.count(hour) for hour in range(8)) < 100
