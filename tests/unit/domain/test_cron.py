"""Times written as in cron, in a time zone."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.cron import Cron, checked_cron

MONDAY = Cron("0 9 * * 1", "Europe/Berlin")


def test_the_last_time_may_be_now() -> None:
    nine = datetime(2026, 3, 9, 8, tzinfo=UTC)
    assert MONDAY.last(nine) == nine
    assert MONDAY.last(nine - timedelta(minutes=1)) == nine - timedelta(days=7)


def test_a_time_keeps_its_hour_in_its_zone_when_the_clocks_change() -> None:
    assert MONDAY.following(datetime(2026, 3, 25, tzinfo=UTC)) == datetime(2026, 3, 30, 7, tzinfo=UTC)


@given(st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)))
def test_the_last_time_is_not_after_and_the_following_one_is(at: datetime) -> None:
    assert MONDAY.last(at) <= at < MONDAY.following(at)


@pytest.mark.parametrize(
    ("text", "why"),
    [("0 9 * *", "five fields"), ("61 9 * * 1", "no cron time"), ("0 0 30 2 *", "30 2")],
)
def test_what_is_no_time_or_never_comes_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        checked_cron(text)
