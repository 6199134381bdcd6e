"""Moments and lengths as the tables show them."""

from datetime import datetime, timedelta

from bot.domain.rollouts.timing.waves import Hold
from bot.domain.wording.words import duration

NOTHING_READ = (
    "No repository was read yet: `freshness-bot once` makes a first pass, and `freshness-bot doctor` says what is "
    "missing."
)
"""What stands where a store is still empty."""


def moment(time: datetime | None) -> str:
    """Words a moment to the minute, in UTC as everything that the bot shows."""
    return f"{time:%Y-%m-%d %H:%M}" if time else "never"


def lag(length: timedelta | None) -> str:
    """Words how long after the release feed an image came; before it where that is negative."""
    if length is None:
        return ""
    length_in_words = f"{duration(-length)} before" if length < timedelta() else f"{duration(length)} after"
    return f"{length_in_words} the release"


def held_text(hold: Hold | None) -> str:
    """Words what is waited for, and until when that will probably be."""
    if hold is None:
        return ""
    return hold.reason if hold.until is None else f"{hold.reason}, probably until {moment(hold.until)}"


def length(text: str, option: str) -> timedelta:
    """Reads a length of time as the settings write it. Raises `Failure` where an option's value is none."""
    from pydantic import TypeAdapter, ValidationError

    from bot.domain.failure import Failure, Trouble
    from bot.settings.values.times import Duration

    try:
        read: timedelta = TypeAdapter(Duration).validate_python(text)
    except ValidationError:
        fault, advice = f"{text[:40]!r} is no length of time", "write for example 90s, 15m, 6h or 7d"
        raise Failure(Trouble.MALFORMED, fault, where=option, advice=advice) from None
    return read
