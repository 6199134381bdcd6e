"""What a superseded rebuild was to bring is served by the one that goes on with it, or by none."""

import pytest

from bot.store.rows.rollouts.served import ServingAttempt, served_and_skipped

SDK, ASPNET = 1, 2


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
