"""Each state of a rebuild, a repository and an image is one of the four words."""

import pytest

from bot.domain.images.standing import ImageState
from bot.domain.rollouts.rebuild import NEED_A_PERSON, RebuildState
from bot.views.fleet.fleet import Standing
from bot.views.four_words import FourWords, word_of


@pytest.mark.parametrize("state", [*RebuildState, *Standing, *ImageState])
def test_every_state_has_one(state: RebuildState | Standing | ImageState) -> None:
    assert word_of(state) in FourWords


def test_what_awaits_the_bot_waits_and_what_has_not_ended_is_under_way() -> None:
    for state in RebuildState:
        if not state.has_ended:
            assert word_of(state) is (FourWords.WAITING if state.awaits_action else FourWords.UNDER_WAY)


def test_only_what_is_proved_or_asks_for_nothing_is_done() -> None:
    done = {state for state in RebuildState if word_of(state) is FourWords.DONE}
    assert done == {
        RebuildState.SUCCEEDED,
        RebuildState.SUPERSEDED,
        RebuildState.SKIPPED,
        RebuildState.CANCELLED,
    }
    assert word_of(RebuildState.FAILED) is FourWords.NEEDS_YOU
    assert RebuildState.FAILED in NEED_A_PERSON
