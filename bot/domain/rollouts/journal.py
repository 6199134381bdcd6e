"""What people told the bot to do, who, and why; and the labels by which they say it on a pull request."""

from dataclasses import dataclass
from datetime import datetime

BOT = "freshness-bot"
"""Who has paused or quarantined where no person has."""


@dataclass(frozen=True, slots=True)
class Word:
    """Who says it, and why; `is_claimed` where nobody has proved to be that person."""

    who: str
    reason: str
    is_claimed: bool = True


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that a person asked for: `what` was done to `subject`."""

    at: datetime
    word: Word
    what: str
    subject: str


HOLD = "freshness:hold"
"""As long as a person leaves it there, the bot changes, closes and merges nothing of the pull request."""
QUARANTINED = "freshness:quarantined"
"""The bot's own: what it brings breaks others at present."""
IGNORE = "freshness:ignore"
"""As long as a person leaves it there, open or closed, the bot asks for nothing more in its place."""


def says_something(label: str) -> bool:
    """Whether a label means something to the bot, so that it is nobody's to be put on every pull request."""
    return label.strip().lower() in (HOLD, QUARANTINED, IGNORE)
