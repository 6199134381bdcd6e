"""The weekly rebuild: when it begins, and how the fleet is spread over the hours after that."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.cron import Cron

_MONDAY_NIGHT = Cron("0 2 * * 1")


@dataclass(frozen=True, slots=True)
class Weekly:
    """From each of the times of `cron` on, rebuilds begin spread over `over`."""

    cron: Cron = _MONDAY_NIGHT
    over: timedelta = timedelta(hours=6)

    def last(self, moment: datetime) -> datetime:
        """The latest time of the weekly rebuild that is not after `moment`."""
        return self.cron.last(moment)

    def following(self, moment: datetime) -> datetime:
        """The first time of the weekly rebuild after `moment`."""
        return self.cron.following(moment)

    def offset(self, name: str) -> timedelta:
        """How long after the beginning this one's turn comes: always the same, told by a hash of the name."""
        share = int.from_bytes(hashlib.sha256(name.lower().encode()).digest()[:8]) / 2**64
        return timedelta(seconds=int(self.over.total_seconds() * share))
