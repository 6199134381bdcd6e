from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.feeds.advisory import Release
from bot.domain.reference import Base
from bot.fleet.watch.registry.schedule import (
    PollPolicy,
    next_poll,
    patch_tuesday,
    patch_tuesday_after,
    patch_tuesday_before,
)

BASE = Base("mcr.microsoft.com", "dotnet/aspnet", "10.0")
PINNED = Base("mcr.microsoft.com", "dotnet/aspnet", "10.0.1-noble")
POLICY = PollPolicy()
QUARTER, TWO = POLICY.interval, POLICY.release_interval
NOVEMBER = datetime(2025, 11, 11, 18, 0, tzinfo=UTC)
"""10:00 in Redmond, on the second Tuesday."""
OCTOBER = datetime(2025, 10, 15, tzinfo=UTC)
RELEASE = Release("10.0", "10.0.1", NOVEMBER, runtime="10.0.1", aspnetcore="10.0.1", sdks=("10.0.101",))

moments = st.datetimes(datetime(2023, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))
bases = st.builds(
    Base, st.just("mcr.microsoft.com"), st.sampled_from(["dotnet/sdk", "dotnet/runtime"]), st.text("ab")
)


def wait(now: datetime, base: Base = BASE, **known: object) -> timedelta:
    return next_poll(base, now, POLICY, **known) - now  # type: ignore[arg-type]


def about(interval: timedelta, found: timedelta) -> bool:
    return interval * (1 - POLICY.jitter) <= found <= interval


@pytest.mark.parametrize(
    ("year", "month", "moment"),
    [
        (2025, 1, datetime(2025, 1, 14, 18, tzinfo=UTC)),
        (2025, 3, datetime(2025, 3, 11, 17, tzinfo=UTC)),  # two days after the clocks went forward
        (2025, 7, datetime(2025, 7, 8, 17, tzinfo=UTC)),
        (2025, 11, datetime(2025, 11, 11, 18, tzinfo=UTC)),  # nine days after they went back
        (2026, 9, datetime(2026, 9, 8, 17, tzinfo=UTC)),
    ],
)
def test_patch_tuesday_is_ten_in_the_morning_in_redmond(year: int, month: int, moment: datetime) -> None:
    assert patch_tuesday(year, month) == moment


@given(st.integers(2000, 2100), st.integers(1, 12))
def test_patch_tuesday_is_a_tuesday_between_the_8th_and_the_14th(year: int, month: int) -> None:
    found = patch_tuesday(year, month)
    assert found.weekday() == 1
    assert 8 <= found.day <= 14


@given(moments)
def test_now_lies_between_the_last_patch_tuesday_and_the_next(now: datetime) -> None:
    before, after = patch_tuesday_before(now), patch_tuesday_after(now)
    assert before <= now < after
    assert timedelta(days=27) < after - before < timedelta(days=36)


def test_an_ordinary_day_has_the_ordinary_interval() -> None:
    assert about(QUARTER, wait(datetime(2025, 11, 20, tzinfo=UTC), moved_at=OCTOBER))


@given(bases, moments)
def test_no_wait_is_longer_than_the_interval_and_none_is_nothing(base: Base, now: datetime) -> None:
    assert timedelta(0) < wait(now, base, moved_at=now - timedelta(days=3)) <= QUARTER


@given(bases, moments)
def test_the_spread_is_the_same_each_time(base: Base, now: datetime) -> None:
    assert next_poll(base, now, POLICY) == next_poll(base, now, POLICY)


def test_bases_are_spread() -> None:
    now = datetime(2025, 11, 20, tzinfo=UTC)
    waits = {wait(now, Base("r", "x", str(number))) for number in range(100)}
    assert len(waits) == 100
    assert max(waits) - min(waits) > QUARTER * POLICY.jitter * 0.8


def test_polling_quickens_at_the_hour_of_release() -> None:
    due = next_poll(BASE, NOVEMBER - timedelta(minutes=4), POLICY, moved_at=OCTOBER)
    assert NOVEMBER <= due <= NOVEMBER + timedelta(seconds=12)
    assert about(TWO, wait(due, moved_at=OCTOBER))


def test_polling_slows_once_the_base_has_moved() -> None:
    now = NOVEMBER + timedelta(hours=2)
    assert about(TWO, wait(now, moved_at=OCTOBER))
    assert about(QUARTER, wait(now, moved_at=NOVEMBER + timedelta(hours=1)))


def test_a_patch_tuesday_without_a_release_is_over_after_a_day() -> None:
    assert about(TWO, wait(NOVEMBER + timedelta(hours=23), moved_at=OCTOBER))
    assert about(QUARTER, wait(NOVEMBER + timedelta(hours=24), moved_at=OCTOBER))


@pytest.mark.parametrize("moved_at", [None, NOVEMBER - timedelta(days=101)])
def test_a_tag_that_is_no_longer_published_is_not_waited_for(moved_at: datetime | None) -> None:
    assert about(QUARTER, wait(NOVEMBER + timedelta(hours=1), moved_at=moved_at))


def test_a_tag_of_one_release_is_not_waited_for() -> None:
    later = NOVEMBER + timedelta(hours=1)
    assert about(QUARTER, wait(later, PINNED, moved_at=OCTOBER, version="10.0.0", releases=[RELEASE]))


@pytest.mark.parametrize("version", ["10.0.0", "10.0.100"])
def test_a_release_in_the_feed_is_waited_for(version: str) -> None:
    later = NOVEMBER + timedelta(hours=1)
    assert about(TWO, wait(later, moved_at=later, version=version, releases=[RELEASE]))


@pytest.mark.parametrize("version", ["10.0.1", "10.0.101", "9.0.0", None])
def test_a_release_that_has_arrived_or_is_of_another_channel_is_not(version: str | None) -> None:
    later = NOVEMBER + timedelta(hours=1)
    assert about(QUARTER, wait(later, moved_at=later, version=version, releases=[RELEASE]))


def test_a_release_whose_images_never_come_is_not_waited_for_longer_than_a_day() -> None:
    later = NOVEMBER + timedelta(days=1)
    assert about(QUARTER, wait(later, moved_at=later, version="10.0.0", releases=[RELEASE]))


def test_a_copy_that_is_behind_is_looked_at_often_for_a_day() -> None:
    assert about(TWO, wait(OCTOBER, behind_since=OCTOBER - timedelta(hours=23)))
    assert about(QUARTER, wait(OCTOBER, behind_since=OCTOBER - timedelta(hours=24)))


DURING = NOVEMBER + timedelta(hours=2)


@given(bases, st.integers(1, 50), st.timedeltas(timedelta(0), timedelta(hours=23)))
def test_near_an_expected_publication_no_failure_puts_a_base_off_for_more_than_five_intervals(
    base: Base, failed: int, after: timedelta
) -> None:
    assert timedelta(0) < wait(NOVEMBER + after, base, moved_at=OCTOBER, failed=failed) <= 5 * TWO


@given(bases, moments, st.integers(1, 50))
def test_no_failure_puts_a_base_off_beyond_the_next_publication(base: Base, now: datetime, failed: int) -> None:
    found = next_poll(base, now, POLICY, moved_at=now - timedelta(days=3), failed=failed)
    assert found < patch_tuesday_after(now) + TWO


def test_a_failing_base_is_looked_at_less_and_less_often() -> None:
    ordinary = [wait(datetime(2025, 11, 20, tzinfo=UTC), failed=count) for count in (1, 2, 3, 4)]
    assert ordinary == [QUARTER, 2 * QUARTER, 4 * QUARTER, 4 * QUARTER]
    awaited = [wait(DURING, moved_at=OCTOBER, failed=count) for count in (1, 2, 3, 4, 5)]
    assert awaited == [TWO, 2 * TWO, 4 * TWO, 5 * TWO, 5 * TWO]


def test_a_failing_base_that_awaits_a_release_or_its_upstream_is_put_off_by_minutes() -> None:
    late = datetime(2025, 11, 20, tzinfo=UTC)
    published = replace(RELEASE, published_at=late)
    assert wait(late, version="10.0.0", releases=[published], failed=9) == 5 * TWO
    assert wait(late, behind_since=late, failed=9) == 5 * TWO
