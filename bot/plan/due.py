"""When work on a change may begin."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.bases.change import Change
from bot.domain.feeds.advisory import Severity, worst
from bot.domain.rollouts.policy import Policy, Terms
from bot.domain.rollouts.rebuild import Rebuild
from bot.domain.rollouts.rollout import Reconsidered
from bot.domain.rollouts.timing.freezes import Freeze, frozen_by
from bot.domain.rollouts.timing.windows import next_opening


@dataclass(frozen=True, slots=True, order=True)
class Beginning:
    """The moment when work may begin; `held` says what put it off, empty where no freeze did."""

    at: datetime
    held: str = ""


def beginning_of(change: Change, terms: Terms, freezes: Sequence[Freeze], now: datetime) -> Beginning:
    """Says when work on a change may begin: after its settle time, in a window, and not in a freeze.

    `max_age`, where it is set, lets work begin outside of the windows; a freeze gives way to a severe fix alone.
    """
    settled = max(change.at + terms.settle, now)
    latest = None if terms.max_age is None else max(change.at + terms.max_age, now)
    at = _opening(settled if latest is None else min(settled, latest), terms, latest)
    return thawed_beginning(at, terms, freezes, change.severity, latest)


def beginning_by_policy(repository: str, change: Change, policy: Policy, now: datetime) -> Beginning:
    """Says when work on a change may begin under the terms that it has in that repository."""
    terms = policy.terms(repository, change.base, change.cause, change.severity)
    return beginning_of(change, terms, policy.freezes, now)


def reconsidered(rebuild: Rebuild, changes: Sequence[Change], policy: Policy, now: datetime) -> Reconsidered:
    """Says when a waiting rebuild may begin, now that its changes are known better; never later than before."""
    begins = (beginning_by_policy(rebuild.repository, change, policy, now) for change in changes)
    due_at = min([rebuild.due_at, *(beginning.at for beginning in begins)])
    return Reconsidered(due_at, worst(change.severity for change in changes))


def thawed_beginning(
    at: datetime,
    terms: Terms,
    freezes: Sequence[Freeze],
    severity: Severity | None,
    latest: datetime | None = None,
) -> Beginning:
    """The first moment from `at` on which no freeze holds back, in a window unless it is past `latest`."""
    held = ""
    while (freeze := frozen_by(freezes, at, severity)) is not None:
        held = f"frozen until {_day(freeze.until)}: {freeze.reason}"
        at = _opening(freeze.until, terms, latest)
    return Beginning(at, held)


def _opening(at: datetime, terms: Terms, latest: datetime | None) -> datetime:
    opening = next_opening(terms.windows, at)
    return opening if latest is None else min(opening, max(latest, at))


def _day(at: datetime) -> str:
    """Midnight is told as its day, any other moment to the minute, in UTC."""
    return f"{at:%Y-%m-%d}" if (at.hour, at.minute) == (0, 0) else f"{at:%Y-%m-%d %H:%M} UTC"
