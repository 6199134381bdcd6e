"""What is made within a minute and an hour never exceeds its budget, and is made as soon as that allows."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.rollouts.timing.budget import HOUR, MINUTE, Spending, WriteLimits, times

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
seconds = st.integers(0, 1200)


@given(
    per_minute=st.integers(1, 20),
    per_hour=st.integers(1, 60),
    gaps=st.lists(st.tuples(seconds, st.integers(0, 3)), max_size=120),
)
def test_no_minute_and_no_hour_ever_holds_more_than_its_budget(
    per_minute: int, per_hour: int, gaps: list[tuple[int, int]]
) -> None:
    spending = Spending(WriteLimits(per_minute, per_hour))
    most = min(per_minute, per_hour)
    now, made = NOON, []
    for gap, cost in gaps:
        now = spending.free_at(now + timedelta(seconds=gap), min(cost, most))
        spending.spend(now, min(cost, most))
        made += [now] * min(cost, most)
    for at in made:
        assert sum(at - MINUTE < other <= at for other in made) <= per_minute
        assert sum(at - HOUR < other <= at for other in made) <= per_hour


@given(count=st.integers(0, 200), per_minute=st.integers(1, 20), per_hour=st.integers(1, 60))
def test_a_piece_waits_only_while_its_budget_is_full(count: int, per_minute: int, per_hour: int) -> None:
    limits = WriteLimits(per_minute, per_hour)
    spending = Spending(limits)
    for _ in range(count):
        at = spending.free_at(NOON, 1)
        is_full = [
            sum(each > at - span - timedelta(microseconds=1) for each in spending.spent) >= most
            for span, most in ((MINUTE, per_minute), (HOUR, per_hour))
        ]
        assert at == NOON or any(is_full)
        spending.spend(max(at, NOON), 1)


def test_a_thousand_pull_requests_are_made_in_two_hours_and_a_minute() -> None:
    *_, last = times(Spending(WriteLimits()), [(NOON, 1)] * 1000)
    assert timedelta(hours=2) < last - NOON < timedelta(hours=2, minutes=1)


def test_what_was_made_before_counts() -> None:
    spending = Spending(WriteLimits(per_minute=60, per_hour=2))
    spending.spend(NOON - timedelta(minutes=50), 1)
    assert times(spending, [(NOON, 1), (NOON, 1)]) == [NOON, NOON + timedelta(minutes=10)]


def test_what_begins_later_waits_for_that() -> None:
    assert times(Spending(WriteLimits()), [(NOON, 1), (NOON + HOUR, 0)]) == [NOON, NOON + HOUR]
