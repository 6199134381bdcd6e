from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.rollouts.timing.windows import ALWAYS, Window, next_opening

OFFICE = Window.parse("mon-fri 08:00-17:00 Europe/Berlin")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("window", "now", "opens"),
    [
        ("always", "2026-03-10 03:00", "2026-03-10 03:00"),
        ("mon-fri 08:00-17:00", "2026-03-10 09:30", "2026-03-10 09:30"),
        ("mon-fri 08:00-17:00", "2026-03-10 07:59", "2026-03-10 08:00"),
        ("mon-fri 08:00-17:00", "2026-03-10 17:00", "2026-03-11 08:00"),
        ("mon-fri 08:00-17:00", "2026-03-13 18:00", "2026-03-16 08:00"),
        ("tue 08:00-17:00", "2026-03-10 17:00", "2026-03-17 08:00"),
        ("sat-mon 10:00-11:00", "2026-03-10 12:00", "2026-03-14 10:00"),
        ("fri 22:00-02:00", "2026-03-14 01:00", "2026-03-14 01:00"),
        ("fri 22:00-02:00", "2026-03-14 02:00", "2026-03-20 22:00"),
        ("mon 00:00-24:00", "2026-03-09 23:59", "2026-03-09 23:59"),
        ("mon-fri 08:00-17:00 Europe/Berlin", "2026-03-10 07:00", "2026-03-10 07:00"),
        ("mon-fri 08:00-17:00 Europe/Berlin", "2026-07-10 05:00", "2026-07-10 06:00"),
    ],
)
def test_work_begins_when_a_window_is_open(window: str, now: str, opens: str) -> None:
    assert Window.parse(window).next_opening(at(now)) == at(opens)


# Summer time in Berlin begins on 2026-03-29 at 01:00 UTC and ends on 2026-10-25 at 01:00 UTC.


@pytest.mark.parametrize(
    ("window", "now", "opens"),
    [
        ("mon 08:00-17:00 Europe/Berlin", "2026-03-28 12:00", "2026-03-30 06:00"),
        ("mon 08:00-17:00 Europe/Berlin", "2026-10-24 12:00", "2026-10-26 07:00"),
        ("sun 01:00-04:00 Europe/Berlin", "2026-03-29 01:30", "2026-03-29 01:30"),
        ("sun 02:00-03:00 Europe/Berlin", "2026-03-28 12:00", "2026-04-05 00:00"),
        ("sun 02:30-05:00 Europe/Berlin", "2026-10-25 01:10", "2026-10-25 01:10"),
    ],
    ids=["the hour after", "the hour before", "within the change", "swallowed by the change", "the repeated hour"],
)
def test_windows_keep_to_the_wall_clock_through_summer_time(window: str, now: str, opens: str) -> None:
    assert Window.parse(window).next_opening(at(now)) == at(opens)


def test_the_earliest_of_several_windows_counts() -> None:
    windows = (Window.parse("fri 08:00-09:00"), Window.parse("wed 08:00-09:00"))
    assert next_opening(windows, at("2026-03-10 12:00")) == at("2026-03-11 08:00")


def test_no_window_at_all_holds_nothing_back() -> None:
    assert next_opening((), at("2026-03-10 12:00")) == at("2026-03-10 12:00")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "never",
        "mon-fri",
        "mun 08:00-17:00",
        "mon 25:00-26:00",
        "mon 24:30-25:00",
        "mon 08:60-09:00",
        "mon 08:00-17:00 Mars/Olympus",
        "mon 08:00-17:00 ../../etc/passwd",
        "mon 08:00-17:00 Europe",
        "mon 8-17",
    ],
)
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="write 'always' or for example"):
        Window.parse(text)


moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))
days = st.sampled_from(["mon", "tue", "wed", "thu", "fri", "sat", "sun"])
times = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59))
zones = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"])
windows_of = st.builds("{}-{} {}-{} {}".format, days, days, times, times, zones).map(Window.parse)


@given(windows_of, moments)
def test_an_opening_lies_ahead_within_two_weeks_and_is_an_opening(window: Window, now: datetime) -> None:
    opens = window.next_opening(now)
    assert now <= opens <= now + timedelta(days=15)
    assert window.next_opening(opens) == opens
    assert opens.tzinfo is UTC


@given(windows_of, moments, st.timedeltas(timedelta(0), timedelta(days=8)))
def test_waiting_longer_never_opens_earlier(window: Window, now: datetime, wait: timedelta) -> None:
    assert window.next_opening(now) <= window.next_opening(now + wait)


@given(moments)
def test_always_is_now(now: datetime) -> None:
    assert ALWAYS.next_opening(now) == now
