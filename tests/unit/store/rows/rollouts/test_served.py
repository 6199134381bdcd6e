"""What a superseded rebuild was to bring is served by the one that goes on with it, or by none; what was merged
serves no pin that is read as left behind later."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.store.rows.rollouts.served import ServingAttempt, merged_before, served_and_skipped

SDK, ASPNET = 1, 2
READ_AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
EARLIER, LATER = READ_AT - timedelta(hours=1), READ_AT + timedelta(hours=1)


def done(number: int, *changes: int) -> ServingAttempt:
    return ServingAttempt(number, frozenset(changes), is_unserved=False, is_superseded=False)


def skipped(number: int, *changes: int) -> ServingAttempt:
    return ServingAttempt(number, frozenset(changes), is_unserved=True, is_superseded=False)


def superseded(number: int, *changes: int) -> ServingAttempt:
    return ServingAttempt(number, frozenset(changes), is_unserved=False, is_superseded=True)


@pytest.mark.parametrize(
    ("attempts", "served_changes", "skipped_changes"),
    [
        pytest.param([superseded(1, SDK), skipped(2, SDK, ASPNET)], set(), {SDK, ASPNET}, id="skipped"),
        pytest.param([superseded(1, SDK), done(2, SDK, ASPNET)], {SDK, ASPNET}, set(), id="done"),
        pytest.param([superseded(1, SDK), superseded(2, SDK), skipped(3, SDK)], set(), {SDK}, id="after two"),
        pytest.param([skipped(2, SDK), superseded(1, SDK)], set(), {SDK}, id="read in any order"),
    ],
)
def test_the_successor_of_a_superseded_rebuild_decides(
    attempts: list[ServingAttempt], served_changes: set[int], skipped_changes: set[int]
) -> None:
    assert served_and_skipped(attempts) == (served_changes, skipped_changes)


def test_a_superseded_rebuild_whose_successor_is_forgotten_has_served() -> None:
    assert served_and_skipped([superseded(1, SDK), skipped(2, ASPNET)]) == ({SDK}, {ASPNET})


def test_a_change_that_was_brought_once_stays_served_where_a_later_rebuild_was_skipped() -> None:
    served_changes, _ = served_and_skipped([done(1, SDK), skipped(2, SDK)])
    assert served_changes == {SDK}


def merged(number: int, at: datetime, *changes: int) -> ServingAttempt:
    return ServingAttempt(number, frozenset(changes), is_unserved=False, is_superseded=False, merged_at=at)


@pytest.mark.parametrize(
    ("attempts", "merged_changes"),
    [
        pytest.param([merged(1, EARLIER, SDK)], {SDK}, id="merged before the reading"),
        pytest.param([merged(1, LATER, SDK)], set(), id="read before it was merged"),
        pytest.param([merged(1, EARLIER, SDK), done(2, SDK)], set(), id="another is under way, or was called off"),
        pytest.param([merged(1, EARLIER, SDK, ASPNET), done(2, SDK)], {ASPNET}, id="each change by itself"),
        pytest.param([superseded(1, SDK), merged(2, EARLIER, SDK)], {SDK}, id="after one that was superseded"),
        pytest.param([merged(1, EARLIER, SDK), skipped(2, SDK)], {SDK}, id="after one that came to nothing"),
        pytest.param([superseded(1, SDK)], set(), id="superseded by nothing that is known"),
    ],
)
def test_a_change_counts_as_merged_where_nothing_but_merged_requests_has_served_it(
    attempts: list[ServingAttempt], merged_changes: set[int]
) -> None:
    assert merged_before(attempts, READ_AT) == merged_changes


def test_nothing_counts_as_merged_where_the_repository_was_not_read() -> None:
    assert merged_before([merged(1, EARLIER, SDK)], None) == set()
