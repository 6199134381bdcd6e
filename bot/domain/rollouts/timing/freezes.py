"""Freezes: times in which nothing is begun, but for fixes that are severe enough."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.feeds.advisory import Severity


@dataclass(frozen=True, slots=True)
class Freeze:
    """From `since` until before `until` nothing is begun, except what fixes a CVE at least `except_severity`."""

    since: datetime
    until: datetime
    reason: str
    except_severity: Severity | None = None

    def holds(self, moment: datetime, severity: Severity | None) -> bool:
        """Whether work that fixes a CVE of `severity` (None: no CVE) may not begin at that moment."""
        if not self.since <= moment < self.until:
            return False
        is_severe = (
            self.except_severity is not None and severity is not None and severity.rank >= self.except_severity.rank
        )
        return not is_severe


def frozen_by(freezes: Sequence[Freeze], moment: datetime, severity: Severity | None) -> Freeze | None:
    """The freeze that holds work back at a moment; of several, the one that ends last."""
    holding = [freeze for freeze in freezes if freeze.holds(moment, severity)]
    return max(holding, key=lambda freeze: freeze.until, default=None)


def thawed(freezes: Sequence[Freeze], moment: datetime, severity: Severity | None) -> datetime:
    """The first moment from `moment` on in which no freeze holds work of that severity back."""
    while (freeze := frozen_by(freezes, moment, severity)) is not None:
        moment = freeze.until
    return moment
