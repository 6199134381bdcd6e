"""A rollout in short counts its rebuilds and names those that need somebody."""

from datetime import timedelta

from bot.domain.rollouts.rebuild import Rebuild, RebuildState
from bot.views.rollouts.rollout import MOST_NAMED, MOST_UNDER_WAY, in_short
from tests.builders import NOON, rebuild

HOUR = timedelta(hours=1)


def since(number: int, state: RebuildState, hours: int, rollout: int = 3) -> Rebuild:
    """One that has been in its state for so many hours."""
    at = NOON - hours * HOUR
    ended = at if state.has_ended else None
    return rebuild(f"contoso/r{number}", state, id=number, rollout=rollout, planned_at=at, ended_at=ended)


def test_rebuilds_are_counted_by_state_in_the_order_in_which_they_go() -> None:
    states = (RebuildState.SUCCEEDED, RebuildState.PLANNED, RebuildState.FAILED, RebuildState.SUCCEEDED)
    [found] = in_short([since(number, state, 1) for number, state in enumerate(states)], NOON)
    assert list(found.states.items()) == [
        (RebuildState.PLANNED, 1),
        (RebuildState.SUCCEEDED, 2),
        (RebuildState.FAILED, 1),
    ]
    assert (found.total, found.more) == (4, 3)


def test_failures_are_named_first_then_what_waits_for_a_person_then_the_longest_under_way() -> None:
    some = [
        *(
            since(1, RebuildState.RUNNING, 1),
            since(2, RebuildState.OPEN, 1),
            since(3, RebuildState.FAILED, 1),
            since(4, RebuildState.OPEN, 9),
        ),
        *(
            since(5, RebuildState.PROVING, 2),
            since(6, RebuildState.STEPPING, 3),
            since(7, RebuildState.PLANNED, 99),
        ),
    ]
    [found] = in_short(some, NOON)
    assert [each.id for each in found.named] == [3, 4, 2, 6, 5]


def test_of_many_those_are_named_that_have_waited_the_longest() -> None:
    waiting = [since(number, RebuildState.OPEN, number) for number in range(20)]
    running = [since(number, RebuildState.RUNNING, number) for number in range(20, 30)]
    [found] = in_short([*waiting, *running], NOON)
    assert [each.id for each in found.named] == [19, 18, 17, 16, 15, 29, 28]
    assert len(found.named) == MOST_NAMED + MOST_UNDER_WAY


def test_what_cannot_begin_is_named_with_its_reason_and_what_is_only_planned_is_not() -> None:
    some = [since(number, RebuildState.WAITING, number) for number in range(9)]
    [found] = in_short([*some, since(10, RebuildState.PLANNED, 99)], NOON)
    assert [each.id for each in found.named] == [8, 7]


def test_of_the_newest_rollout_all_is_counted_and_of_others_what_has_not_ended() -> None:
    older, newest = in_short(
        [since(1, RebuildState.OPEN, 9, rollout=3), since(2, RebuildState.SUCCEEDED, 1, rollout=4)], NOON
    )
    assert (older.id, older.is_whole) == (3, False)
    assert (newest.id, newest.is_whole, newest.named) == (4, True, ())


def test_a_failure_that_was_tried_again_needs_nobody() -> None:
    [found] = in_short(
        [since(1, RebuildState.FAILED, 2), since(2, RebuildState.SUCCEEDED, 1)], NOON, tried_again={1}
    )
    assert (found.states, found.named) == ({RebuildState.SUCCEEDED: 1}, ())
