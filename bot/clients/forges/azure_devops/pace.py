"""When an organisation may be asked again: it slows down with answers that are right, long before it refuses any.

Its limits are of five minutes that slide, shared by all that the same identity does, and not always told.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from bot.clients.http.bounds import retry_after

SHARE = 0.2
"""Of what is granted to the identity, more is never used."""
_SLOWEST = timedelta(seconds=30)
"""Longer than the service itself would delay an answer, nobody waits between two questions for a share."""


@dataclass(frozen=True, slots=True)
class OrganizationPace:
    """`apart` lie two questions at least, where no header tells more; the next may be asked from `next_at` on."""

    apart: timedelta = timedelta(milliseconds=200)
    next_at: datetime | None = None

    def wait(self, now: datetime) -> timedelta:
        """How long the next question waits."""
        return timedelta() if self.next_at is None else max(self.next_at - now, timedelta())

    def after(self, headers: Mapping[str, str], now: datetime) -> "OrganizationPace":
        """The pace once an answer has come, whatever its status; at least `apart` from this one."""
        asked = retry_after(headers.get("retry-after"), now) or timedelta()
        return replace(self, next_at=now + max(self.apart, asked, _until_shared(headers, now)))


def _until_shared(headers: Mapping[str, str], now: datetime) -> timedelta:
    """How long to wait so that the share is not passed; nothing where the headers do not tell."""
    try:
        limit, remaining = float(headers["x-ratelimit-limit"]), float(headers["x-ratelimit-remaining"])
        reset = datetime.fromtimestamp(float(headers["x-ratelimit-reset"]), UTC)
    except (KeyError, ValueError, OverflowError, OSError):
        return timedelta()
    is_within = limit <= 0 or limit - remaining <= SHARE * limit
    return timedelta() if is_within else min(max(reset - now, timedelta()), _SLOWEST)
