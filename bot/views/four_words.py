"""The four words for people, and which of them each state of a rebuild, a repository or an image is."""

from collections.abc import Mapping
from enum import StrEnum

from bot.domain.images.standing import ImageState
from bot.domain.rollouts.rebuild import RebuildState
from bot.views.fleet.fleet import Standing


class Word(StrEnum):
    """How something stands. What has ended without effect, or asks for nothing, is done."""

    NEEDS_YOU = "needs you"
    UNDER_WAY = "under way"
    WAITING = "waiting"
    DONE = "done"


_OF_REBUILDS: Mapping[RebuildState, Word] = {
    RebuildState.PLANNED: Word.WAITING,
    RebuildState.WAITING: Word.WAITING,
    RebuildState.OPEN: Word.UNDER_WAY,
    RebuildState.DISPATCHED: Word.UNDER_WAY,
    RebuildState.RUNNING: Word.UNDER_WAY,
    RebuildState.BUILDING: Word.UNDER_WAY,
    RebuildState.PROVING: Word.UNDER_WAY,
    RebuildState.STEPPING: Word.UNDER_WAY,
    RebuildState.SUCCEEDED: Word.DONE,
    RebuildState.BUILT: Word.NEEDS_YOU,
    RebuildState.MERGED: Word.NEEDS_YOU,
    RebuildState.FAILED: Word.NEEDS_YOU,
    RebuildState.SUPERSEDED: Word.DONE,
    RebuildState.SKIPPED: Word.DONE,
    RebuildState.CANCELLED: Word.DONE,
}
_OF_REPOSITORIES: Mapping[Standing, Word] = {
    Standing.FAILED: Word.NEEDS_YOU,
    Standing.UNREADABLE: Word.NEEDS_YOU,
    Standing.BEHIND: Word.UNDER_WAY,
    Standing.UNKNOWN: Word.WAITING,
    Standing.CURRENT: Word.DONE,
    Standing.LEFT_ALONE: Word.DONE,
    Standing.NO_BASE: Word.DONE,
}
_OF_IMAGES: Mapping[ImageState, Word] = {
    ImageState.CONTRADICTED: Word.NEEDS_YOU,
    ImageState.UNSEEN_BUILD: Word.NEEDS_YOU,
    ImageState.BEHIND: Word.UNDER_WAY,
    ImageState.UNKNOWN: Word.WAITING,
    ImageState.NOT_SEEN: Word.WAITING,
    ImageState.CLAIMED: Word.WAITING,
    ImageState.CURRENT: Word.DONE,
}


def word_of(state: RebuildState | Standing | ImageState) -> Word:
    """Tells which of the four words a state is, by itself; what has waited for a person for too long needs you
    whatever its state, which `needs` tells."""
    match state:
        case RebuildState():
            return _OF_REBUILDS[state]
        case Standing():
            return _OF_REPOSITORIES[state]
        case ImageState():
            return _OF_IMAGES[state]
