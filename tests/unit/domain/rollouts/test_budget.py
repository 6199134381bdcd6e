"""What is made within a minute and an hour never exceeds its budget, and is made as soon as that allows."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.rollouts.timing.pace import HOUR, MINUTE, Spending, WriteLimits, account_of, asked_by, times

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


def test_what_may_be_made_where_the_operator_says_nothing() -> None:
    assert WriteLimits() == WriteLimits(60, 480, timedelta(seconds=1))


def test_two_writes_begin_apart_whatever_they_make() -> None:
    spending = Spending(WriteLimits(apart=timedelta(seconds=3)))
    assert times(spending, [(NOON, 0), (NOON, 0)]) == [NOON, NOON + timedelta(seconds=3)]


def test_what_notifies_nobody_is_made_though_the_budget_is_used_up() -> None:
    spending = Spending(WriteLimits(per_minute=1, per_hour=1))
    spending.spend(NOON, 1)
    assert spending.free_at(NOON, 0) == NOON


def test_more_than_a_whole_budget_waits_for_an_empty_one() -> None:
    spending = Spending(WriteLimits(per_minute=60, per_hour=2))
    spending.spend(NOON, 1)
    assert spending.free_at(NOON, 5) == NOON + HOUR


@pytest.mark.parametrize(("by_owner", "account"), [(True, "contoso/"), (False, "")])
def test_an_account_is_the_owners_or_that_of_one_token_for_all(by_owner: bool, account: str) -> None:
    assert account_of("Contoso/Shop", by_owner=by_owner) == account


@pytest.mark.parametrize(
    ("by_owner", "account"), [(True, "dev.azure.com: contoso/"), (False, "dev.azure.com: ")], ids=str
)
def test_an_account_at_a_builder_that_is_not_the_forge_bears_its_name(by_owner: bool, account: str) -> None:
    named = account_of("Contoso/Shop", by_owner=by_owner, host="dev.azure.com")
    assert (named, asked_by(named)) == (account, "dev.azure.com")
    assert asked_by(account_of("Contoso/Shop", by_owner=by_owner)) == "the forge"
