"""Times written as in cron, in a time zone."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
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


@pytest.mark.parametrize("fields", ["30 2 * * *", "15 1 * * *", "*/15 * * * *", "0 3 * * 0"])
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
@given(
    st.sampled_from(
        [datetime(2026, month, day, tzinfo=UTC) for month, day in ((3, 8), (3, 29), (10, 4), (10, 25), (11, 1))]
    ),
    st.timedeltas(timedelta(days=-1), timedelta(days=1)),
)
@example(datetime(2026, 10, 25, 1, 5, tzinfo=UTC), timedelta())
@example(datetime(2026, 11, 1, 6, 6, tzinfo=UTC), timedelta())
@example(datetime(2026, 3, 7, 0, 14, 52, tzinfo=UTC), timedelta())
def test_the_law_holds_to_the_second_and_where_clocks_change(
    fields: str, zone: str, day: datetime, later: timedelta
) -> None:
    cron, at = Cron(fields, zone), day + later
    assert cron.last(at) <= at < cron.following(at)
    assert cron.last(cron.following(at)) == cron.following(at)


@pytest.mark.parametrize(
    ("text", "why"),
    [("0 9 * *", "five fields"), ("61 9 * * 1", "no cron time"), ("0 0 30 2 *", "30 2")],
)
def test_what_is_no_time_or_never_comes_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        checked_cron(text)
