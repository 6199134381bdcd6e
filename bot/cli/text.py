"""Moments and lengths as the tables show them."""

from datetime import datetime, timedelta

from bot.domain.rollouts.timing.waves import Hold
from bot.domain.wording.words import duration


def moment(at: datetime | None) -> str:
    """Words a moment to the minute, in UTC as everything that the bot shows."""
    return f"{at:%Y-%m-%d %H:%M}" if at else "never"


def lag(length: timedelta | None) -> str:
    """Words how long after the release feed an image came; before it where that is negative."""
    if length is None:
        return ""
    return f"{duration(-length)} before" if length < timedelta() else duration(length)


def held_text(held: Hold | None) -> str:
    """Words what is waited for, and until when that will probably be."""
    if held is None:
        return ""
    return held.reason if held.until is None else f"{held.reason}, probably until {moment(held.until)}"
