"""The four words for people, and which of them each state of a rebuild, a repository or an image is."""

from collections import Counter
from collections.abc import Mapping
from enum import StrEnum

from bot.domain.images.standing import ImageState
from bot.domain.rollouts.rebuild import RebuildState
from bot.views.fleet.fleet import Standing


class FourWords(StrEnum):
    """How something stands. What has ended without effect, or asks for nothing, is done."""

    NEEDS_YOU = "needs you"
    UNDER_WAY = "under way"
    WAITING = "waiting"
    DONE = "done"


_OF_REBUILDS: Mapping[RebuildState, FourWords] = {
    RebuildState.PLANNED: FourWords.WAITING,
    RebuildState.WAITING: FourWords.WAITING,
    RebuildState.OPEN: FourWords.UNDER_WAY,
    RebuildState.DISPATCHED: FourWords.UNDER_WAY,
    RebuildState.RUNNING: FourWords.UNDER_WAY,
    RebuildState.BUILDING: FourWords.UNDER_WAY,
    RebuildState.PROVING: FourWords.UNDER_WAY,
    RebuildState.STEPPING: FourWords.UNDER_WAY,
    RebuildState.SUCCEEDED: FourWords.DONE,
    RebuildState.BUILT: FourWords.NEEDS_YOU,
    RebuildState.MERGED: FourWords.NEEDS_YOU,
    RebuildState.FAILED: FourWords.NEEDS_YOU,
    RebuildState.SUPERSEDED: FourWords.DONE,
    RebuildState.SKIPPED: FourWords.DONE,
    RebuildState.CANCELLED: FourWords.DONE,
}
_OF_REPOSITORIES: Mapping[Standing, FourWords] = {
    Standing.FAILED: FourWords.NEEDS_YOU,
    Standing.UNREADABLE: FourWords.NEEDS_YOU,
    Standing.BEHIND: FourWords.UNDER_WAY,
    Standing.UNKNOWN: FourWords.WAITING,
    Standing.CURRENT: FourWords.DONE,
    Standing.LEFT_ALONE: FourWords.DONE,
    Standing.NO_BASE: FourWords.DONE,
}
_OF_IMAGES: Mapping[ImageState, FourWords] = {
    ImageState.CONTRADICTED: FourWords.NEEDS_YOU,
    ImageState.UNSEEN_BUILD: FourWords.NEEDS_YOU,
    ImageState.BEHIND: FourWords.UNDER_WAY,
    ImageState.UNKNOWN: FourWords.WAITING,
    ImageState.NOT_SEEN: FourWords.WAITING,
    ImageState.CLAIMED: FourWords.WAITING,
    ImageState.CURRENT: FourWords.DONE,
}


def words_of(states: Mapping[RebuildState, int]) -> Mapping[FourWords, int]:
    """How many rebuilds stand how, in the words for people."""
    numbers = Counter[FourWords]()
    for state, number in states.items():
        numbers[word_of(state)] += number
    return {word: numbers[word] for word in FourWords if numbers[word]}


def in_number(number: int, word: FourWords) -> str:
    """`1 needs you`, `3 need you`, `31 under way`."""
    return f"{number:,} need you" if word is FourWords.NEEDS_YOU and number != 1 else f"{number:,} {word}"


def word_of(state: RebuildState | Standing | ImageState) -> FourWords:
    """Tells which of the four words a state is, by itself; what has waited for a person for too long needs you
    whatever its state, which `needs` tells."""
    match state:
        case RebuildState():
            return _OF_REBUILDS[state]
        case Standing():
            return _OF_REPOSITORIES[state]
        case ImageState():
            return _OF_IMAGES[state]
