"""Until when GitHub is not asked: since it said so, or since only the reserve of its limit is left."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot.clients.http.bounds import retry_after
from bot.domain.failure import LONGEST_PAUSE

REST, GRAPHQL = "core", "graphql"
"""Each has a limit of its own, under GitHub's names for them."""
_LONGEST_NUMBER = 12
SECONDARY_LIMIT_PAUSE = timedelta(seconds=60)
"""GitHub: "wait for at least one minute" where the answer names no time."""


@dataclass(slots=True)
class Quiet:
    """`reserve` is the share of each limit that is left to others."""

    reserve: float = 0.0
    _until: dict[str | None, datetime] = field(default_factory=dict)

    def pause_left(self, kind: str, now: datetime) -> timedelta:
        """Returns for how long nothing of this kind may be asked, zero where it may."""
        return max(self._pause_of(kind, now), self._pause_of(None, now))

    def keep(self, kind: str | None, pause: timedelta, now: datetime) -> None:
        """Asks nothing of that kind for so long; None for nothing at all."""
        self._until[kind] = now + max(self._pause_of(kind, now), pause)

    def _pause_of(self, kind: str | None, now: datetime) -> timedelta:
        """No pause is longer than a day: a clock that was ahead has told of one that is."""
        pause = self._until.get(kind, now) - now
        return timedelta(0) if pause > LONGEST_PAUSE else pause

    def note(self, kind: str, headers: Mapping[str, Any], now: datetime) -> None:
        """Takes from an answer how much of its limit is left; once that is the reserve, the rest of the hour is
        the others'."""
        limit, remaining = (_number(headers, name) for name in ("limit", "remaining"))
        if headers.get("x-ratelimit-resource", kind) != kind or limit is None or remaining is None:
            return
        reset = until_reset(headers, now)
        if reset is not None and remaining <= limit * self.reserve:
            self.keep(kind, reset, now)


def until_reset(headers: Mapping[str, Any], now: datetime) -> timedelta | None:
    """How long until the limit is as at the beginning of an hour; None where the answer does not tell."""
    reset = _number(headers, "reset")
    if reset is None:
        return None
    return min(max(timedelta(seconds=reset - now.timestamp()), timedelta(seconds=1)), LONGEST_PAUSE)


def named_pause(headers: Mapping[str, Any], now: datetime) -> timedelta | None:
    """For how long an answer says that nothing is to be asked; None where it names no time."""
    if (pause := retry_after(headers.get("retry-after"), now)) is not None:
        return pause
    return until_reset(headers, now) if headers.get("x-ratelimit-remaining") == "0" else None


def refused_pause(status: int, headers: Mapping[str, Any], message: str, now: datetime) -> timedelta | None:
    """For how long nothing is to be asked after a refusal; None where it is for no limit."""
    if status not in (403, 429):
        return None
    is_limit = status == 429 or "rate limit" in message.lower()
    pause = named_pause(headers, now)
    return SECONDARY_LIMIT_PAUSE if pause is None and is_limit else pause


def kept_by(kind: str, headers: Mapping[str, Any], writes: bool) -> Sequence[str | None]:
    """What a refusal for a limit keeps from being asked: an hour's limit its own kind, the others everything.

    After a write that was refused, reads go on.
    """
    if headers.get("x-ratelimit-remaining") == "0":
        return (kind,)
    return () if writes else (None,)


def _number(headers: Mapping[str, Any], name: str) -> int | None:
    text = str(headers.get(f"x-ratelimit-{name}", ""))
    return int(text[:_LONGEST_NUMBER]) if text.isascii() and text.isdigit() else None
