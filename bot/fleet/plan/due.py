"""When work on a change may begin."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain.bases.change import Change
from bot.domain.feeds.advisory import Severity, worst
from bot.domain.rollouts.policy import Policy, Terms
from bot.domain.rollouts.rebuild import Rebuild
from bot.domain.rollouts.rollout import Reconsidered
from bot.domain.rollouts.timing.windows import Freeze, frozen_by, next_opening


@dataclass(frozen=True, slots=True, order=True)
class Beginning:
    """The moment when work may begin; `delay_reason` says what put it off, empty where no freeze did."""

    at: datetime
    delay_reason: str = ""


def beginning_of(change: Change, terms: Terms, freezes: Sequence[Freeze], now: datetime) -> Beginning:
    """Says when work on a change may begin: after its settle time, in a window, and not in a freeze.

    `max_age`, where it is set, lets work begin outside of the windows; a freeze gives way to a severe fix alone.
    """
    since = _counts_from(change, now)
    settled = max(since + terms.settle, now)
    latest = None if terms.max_age is None else max(since + terms.max_age, now)
    opening = _opening(settled if latest is None else min(settled, latest), terms, latest)
    return thawed_beginning(opening, terms, freezes, change.severity, latest)


def beginning_by_policy(repository: str, change: Change, policy: Policy, now: datetime) -> Beginning:
    """Says when work on a change may begin under the terms that it has in that repository."""
    return beginning_of(change, terms_by_policy(repository, change, policy), policy.freezes, now)


def counted_for(rebuild: Rebuild, change: Change) -> Change:
    """Returns the change with the time from which it counts for a rebuild.

    One that is older than the rebuild's plan, since a catch-up brings it, has its time from then on, less what a
    mirror was late with it.
    """
    since = rebuild.waits_since
    if since is None or change.at >= since:
        return change
    published_at = None if change.published_at is None else change.published_at + (since - change.at)
    return replace(change, at=since, published_at=published_at)


def terms_by_policy(repository: str, change: Change, policy: Policy) -> Terms:
    """Returns the terms of the policy for a change in that repository."""
    return policy.terms(repository, change.base, change.cause, change.severity)


def reconsidered(rebuild: Rebuild, changes: Sequence[Change], policy: Policy, now: datetime) -> Reconsidered:
    """Says when and in which wave a waiting rebuild may begin, now that its changes are known better; never later
    than before. `changes` are those of its changes that can be read."""
    if not changes:
        return Reconsidered(rebuild.due_at, None, is_whole=False)
    changes = [counted_for(rebuild, change) for change in changes]
    begins = (beginning_by_policy(rebuild.repository, change, policy, now) for change in changes)
    due_at = min([rebuild.due_at, *(beginning.at for beginning in begins)])
    several = [terms_by_policy(rebuild.repository, change, policy) for change in changes]
    terms = policy.together(several)
    overdue = [
        _counts_from(change, now) + terms.max_age
        for change, terms in zip(changes, several, strict=True)
        if terms.max_age
    ]
    return Reconsidered(
        due_at,
        worst(change.severity for change in changes),
        policy.earliest([rebuild.wave, terms.wave]),
        policy.soak(terms),
        min(overdue, default=None),
        is_whole=len(changes) == sum(len(target.changes) for target in rebuild.targets),
    )


def thawed_beginning(
    start: datetime,
    terms: Terms,
    freezes: Sequence[Freeze],
    severity: Severity | None,
    latest: datetime | None = None,
) -> Beginning:
    """The first moment from `start` on which no freeze holds back, in a window unless it is past `latest`."""
    delay_reason = ""
    while (freeze := frozen_by(freezes, start, severity)) is not None:
        delay_reason = f"frozen until {_day(freeze.until)}: {freeze.reason}"
        start = _opening(freeze.until, terms, latest)
    return Beginning(start, delay_reason)


def _counts_from(change: Change, now: datetime) -> datetime:
    """What a clock that was ahead has seen counts from now on."""
    return min(change.counts_from, now)


def _opening(start: datetime, terms: Terms, latest: datetime | None) -> datetime:
    opening = next_opening(terms.windows, start)
    return opening if latest is None else min(opening, max(latest, start))


def _day(moment: datetime) -> str:
    """Midnight is told as its day, any other moment to the minute, in UTC."""
    return f"{moment:%Y-%m-%d}" if (moment.hour, moment.minute) == (0, 0) else f"{moment:%Y-%m-%d %H:%M} UTC"
