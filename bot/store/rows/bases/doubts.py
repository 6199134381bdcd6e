"""What a document said before and says no more, while that is doubted, in its row."""

from typing import Any

from bot.store.engine.codec import dump, load
from bot.upstream.feeds.doubts import DoubtedLoss


def dump_doubts(doubts: tuple[DoubtedLoss, ...]) -> Any:
    """The value of a column of doubts; None where nothing is in doubt."""
    return dump(doubts, tuple[DoubtedLoss, ...]) if doubts else None


def load_doubts(data: Any) -> tuple[DoubtedLoss, ...]:
    return load(data, tuple[DoubtedLoss, ...]) if data else ()
