"""What people told the bot to do, who, and why."""

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
