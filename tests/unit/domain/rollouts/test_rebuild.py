from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.rollouts.rebuild import (
    AWAITING,
    ENDED,
    FOLLOWED,
    NEED_A_PERSON,
    REPLACEABLE,
    TRANSITIONS,
    Action,
    IllegalTransition,
    Joined,
    Merging,
    Rebuild,
    RebuildState,
    check_transition,
)
from bot.domain.rollouts.terms import PathWorkflow

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


@pytest.mark.parametrize(
    ("state", "is_taken_over"),
    [
        *((state, True) for state in ("planned", "waiting", "open", "dispatched", "running")),
        *((state, False) for state in ("building", "proving", "stepping", "succeeded", "built", "merged")),
        *((state, False) for state in ("failed", "superseded", "skipped", "cancelled")),
    ],
)
def test_a_later_change_takes_over_what_is_neither_merged_nor_built_nor_ended(
    state: str, is_taken_over: bool
) -> None:
    assert RebuildState(state).is_replaceable is is_taken_over
    assert (RebuildState(state) in REPLACEABLE) is is_taken_over


def test_states_are_told_apart_by_what_they_wait_for() -> None:
    assert [str(state) for state in AWAITING] == ["planned", "waiting"]
    assert [str(state) for state in FOLLOWED] == ["open", "dispatched", "running", "building"]
    ends = ["succeeded", "built", "merged", "failed", "superseded", "skipped", "cancelled"]
    assert [str(state) for state in ENDED] == ends
    assert [str(state) for state in NEED_A_PERSON] == ["failed", "open"]


def test_the_words_that_rows_and_answers_hold_stay() -> None:
    assert [str(action) for action in Action] == ["pull_request", "dispatch", "notify"]
    assert [str(merging) for merging in Merging] == ["wanted", "set", "frozen", "left"]
    assert [str(joined) for joined in Joined] == ["followed", "gone", "in vain"]


def test_a_rebuild_answers_for_its_own_workflow_and_for_those_of_its_parts() -> None:
    plain = rebuild(RebuildState.PLANNED)
    parts = (PathWorkflow(("api/*",), "api.yml"), PathWorkflow(("web/*",), "web.yml"))
    assert plain.workflows == frozenset()
    assert replace(plain, workflow="all.yml").workflows == {"all.yml"}
    assert replace(plain, parts=parts).workflows == {"api.yml", "web.yml"}


def test_the_age_of_a_rebuild_counts_from_when_its_effect_was_intended_or_else_from_its_plan() -> None:
    plain = rebuild(RebuildState.PLANNED)
    assert plain.age(LATER) == LATER - NOON
    assert replace(plain, attempted_at=LATER).age(LATER) == timedelta(0)


@pytest.mark.parametrize(("joined", "follows"), [(None, False), (Joined.FOLLOWED, True), (Joined.IN_VAIN, False)])
def test_only_a_run_that_is_followed_is_that_of_others(joined: Joined | None, follows: bool) -> None:
    assert replace(rebuild(RebuildState.RUNNING), joined=joined).follows_others is follows
