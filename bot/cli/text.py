"""Moments and lengths as the tables show them."""

from datetime import datetime, timedelta

from bot.domain.words import duration


def moment(at: datetime | None) -> str:
    """Words a moment to the minute, in UTC as everything that the bot shows."""
    return f"{at:%Y-%m-%d %H:%M}" if at else "never"


def lag(length: timedelta | None) -> str:
    """Words how long after the release feed an image came; before it where that is negative."""
    if length is None:
        return ""
    return f"{duration(-length)} before" if length < timedelta() else duration(length)
