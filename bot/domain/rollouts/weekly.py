"""The weekly rebuild: when it begins, and how the fleet is spread over the hours after that."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cronsim import CronSim, CronSimError

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Weekly:
    """`cron` is five fields in UTC; from each of its times on, rebuilds begin spread over `over`."""

    cron: str = "0 2 * * 1"
    over: timedelta = timedelta(hours=6)

    def last(self, at: datetime) -> datetime:
        """The latest time of the weekly rebuild that is not after `at`."""
        return next(CronSim(self.cron, at.astimezone(UTC) + _MINUTE, reverse=True))

    def following(self, at: datetime) -> datetime:
        """The first time of the weekly rebuild after `at`."""
        return next(CronSim(self.cron, at.astimezone(UTC)))

    def offset(self, name: str) -> timedelta:
        """How long after the beginning this one's turn comes: always the same, told by a hash of the name."""
        share = int.from_bytes(hashlib.sha256(name.lower().encode()).digest()[:8]) / 2**64
        return timedelta(seconds=int(self.over.total_seconds() * share))


def checked_cron(text: str) -> str:
    """The same text; raises `ValueError` where it is no cron time, or none that ever comes."""
    if len(text.split()) != 5:
        raise ValueError(f"{text[:60]!r} is no cron time of five fields; write for example '0 2 * * 1'")
    try:
        next(CronSim(text, datetime(2026, 1, 1, tzinfo=UTC)))
    except CronSimError as error:
        raise ValueError(f"{text[:60]!r} is no cron time ({error}); write for example '0 2 * * 1'") from error
    except StopIteration:
        raise ValueError(f"{text[:60]!r} never comes; write for example '0 2 * * 1'") from None
    return text
