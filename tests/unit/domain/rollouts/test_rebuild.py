from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.rollouts.rebuild import (
    TRANSITIONS,
    Action,
    IllegalTransition,
    Rebuild,
    RebuildState,
    check_transition,
)

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
LATER = datetime(2026, 3, 10, 13, 0, tzinfo=UTC)
WAYS = """
planned: waiting open dispatched building succeeded failed superseded skipped cancelled
waiting: open dispatched building succeeded failed superseded skipped cancelled
open: building succeeded failed superseded skipped cancelled
dispatched: running proving succeeded failed superseded cancelled
running: proving succeeded failed superseded cancelled
building: proving succeeded merged failed superseded skipped cancelled
proving: built stepping succeeded failed superseded cancelled
stepping: built succeeded failed superseded cancelled
"""
TABLE = {line.split(":")[0]: set(line.split(":")[1].split()) for line in WAYS.strip().splitlines()}


def rebuild(state: RebuildState) -> Rebuild:
    return Rebuild(1, 1, "a/b", Action.DISPATCH, state, "before", (), (), "rest", NOON, NOON)


@pytest.mark.parametrize("before", RebuildState, ids=str)
@pytest.mark.parametrize("after", RebuildState, ids=str)
def test_a_rebuild_moves_only_along_the_table(before: RebuildState, after: RebuildState) -> None:
    if before is after:
        assert rebuild(before).moved(after, "again", at=LATER).reason == "again"
    elif after in TABLE.get(before, set()):
        moved = rebuild(before).moved(after, "why", at=LATER)
        assert (moved.state, moved.reason) == (after, "why")
        assert moved.ended_at == (LATER if after.has_ended else None)
    else:
        with pytest.raises(IllegalTransition, match=f"from {before} to {after}"):
            rebuild(before).moved(after, "why", at=LATER)


def test_every_state_is_awaiting_followed_proving_moved_by_its_steps_or_ended() -> None:
    for state in RebuildState:
        is_between = state in (RebuildState.PROVING, RebuildState.STEPPING)
        assert [state.awaits_action, state.is_followed, is_between, state.has_ended].count(True) == 1


def test_every_state_is_reached_and_every_open_one_can_end() -> None:
    assert {after for ways in TRANSITIONS.values() for after in ways} == set(RebuildState) - {RebuildState.PLANNED}
    for state in RebuildState:
        if not state.has_ended:
            assert {
                RebuildState.SUCCEEDED,
                RebuildState.FAILED,
                RebuildState.SUPERSEDED,
                RebuildState.CANCELLED,
            } <= TRANSITIONS[state]


@given(st.lists(st.sampled_from(RebuildState), max_size=12))
def test_no_path_leaves_an_end_or_comes_back(path: list[RebuildState]) -> None:
    walked = [RebuildState.PLANNED]
    for state in path:
        try:
            check_transition(walked[-1], state)
        except IllegalTransition:
            continue
        walked.append(state)
    assert len(set(walked)) == len(walked)
    assert not any(before.has_ended for before, _ in pairwise(walked))
