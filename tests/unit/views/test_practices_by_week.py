"""How shares are told week by week where days are missing."""

from datetime import date, timedelta

from bot.domain.repositories.finding import Outcome
from bot.views.fleet.practices import WEEKS, trend_of, weeks_of

TODAY = date(2026, 11, 25)  # a Wednesday
MONDAY = date(2026, 11, 23)
HALF = {Outcome.HOLDS: 1, Outcome.FAILS: 1}
ALL = {Outcome.HOLDS: 2}


def test_a_week_tells_the_last_day_that_was_counted_in_it() -> None:
    days = {MONDAY - timedelta(days=7): HALF, MONDAY - timedelta(days=5): ALL, TODAY: HALF}
    weeks = weeks_of(days, {}, TODAY)
    assert [(each.monday, each.share) for each in weeks[-3:]] == [
        (MONDAY - timedelta(weeks=2), None),
        (MONDAY - timedelta(weeks=1), 1.0),
        (MONDAY, 0.5),
    ]
    assert len(weeks) == WEEKS


def test_what_opened_and_closed_stands_in_its_week() -> None:
    weeks = weeks_of({}, {MONDAY: (1, 2), MONDAY - timedelta(weeks=11): (3, 4)}, TODAY)
    assert [(each.opened, each.closed) for each in (weeks[0], weeks[1], weeks[-1])] == [(3, 4), (0, 0), (1, 2)]


def test_a_day_on_which_nobody_counted_takes_the_one_before_it() -> None:
    assert trend_of({TODAY - timedelta(days=9): HALF}, [TODAY - timedelta(days=7), TODAY]) == (0.5, None)
