"""How the builds of a fleet stand to the age that they may reach."""

import pytest

from bot.domain.rollouts.timing.age import BOUNDS, Ages, AgeStanding

STUCK = {"left alone", "no workflow", "no dispatch", "disabled", "failing", "called off", "unreadable"}


@pytest.mark.parametrize("standing", AgeStanding, ids=str)
def test_what_the_bot_cannot_begin_needs_a_person_unless_one_has_said_so(standing: AgeStanding) -> None:
    assert standing.cannot_be_rebuilt is (standing in STUCK)
    assert standing.needs_person is (standing in (STUCK | {"silent", "unfinished"}) - {"left alone"})


def test_the_words_that_rows_and_answers_hold_stay() -> None:
    free = {"reported", "fresh", "own schedule", "due", "silent", "unfinished"}
    assert {str(standing) for standing in AgeStanding} == STUCK | free


def test_all_workflows_are_counted_once() -> None:
    ages = Ages({7: 3, 14: 2, None: 1}, never=4, unread=5, guaranteed=9, overdue=9)
    assert ages.total == 15
    assert Ages().total == 0
    assert BOUNDS == (7, 14, 30, 90)
