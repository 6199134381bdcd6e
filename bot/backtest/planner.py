"""What a policy would have done: the port that the replay drives, and the settle window behind it."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from heapq import heappop, heappush
from typing import Protocol

from bot.backtest.fleet import ReplayedFleet, Use
from bot.domain.bases.change import Cause, Change
from bot.domain.bases.followed_base import is_patch_pinned
from bot.domain.feeds.advisory import Severity
from bot.domain.reference import Base
from bot.domain.repositories.usage import Usage
from bot.domain.rollouts.policy import ActionPreference, Match, Policy, PolicyRule, Terms
from bot.domain.rollouts.rebuild import Action
from bot.domain.rollouts.timing.windows import next_opening
from bot.fleet.plan.due import thawed_beginning


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing done in one repository, for changes of one or several of its bases."""

    at: datetime
    repository: str
    action: Action
    changes: tuple[Change, ...]
    reason: str


Key = tuple[Base, datetime, str | None, str | None]


def key_of(change: Change) -> Key:
    """What stays the same when a change is assessed again; one base may change twice in a moment."""
    return change.base, change.at, change.from_digest, change.to_digest


class Planner(Protocol):
    """Driven by the replay on a clock that only moves forward."""

    def offer(self, change: Change, now: datetime) -> None:
        """A change as it is known now: seen for the first time, or assessed again."""
        ...

    def due(self, now: datetime) -> Iterator[Deed]:
        """What is to be done up to and including `now`, oldest first; each deed once."""
        ...


def is_touched(usage: Usage, change: Change) -> bool:
    """Whether the change asks for a rebuild of what the usage builds, by cause and platforms.

    A rollback does only where a rule says so, which these planners do not.
    """
    return change.cause.needs_rebuild and change.cause is not Cause.ROLLBACK and usage.builds_for(change.platforms)


def default_policy(settle: timedelta = timedelta(hours=6)) -> Policy:
    """Severe .NET fixes at once, the rest when a base has had time to settle."""
    severe = Match(causes=(Cause.DOTNET_SECURITY,), min_severity=Severity.HIGH)
    return Policy((PolicyRule(severe, settle=timedelta()), PolicyRule(settle=settle)))


@dataclass(slots=True)
class _Waiting:
    use: Use
    due: datetime
    action: Action
    changes: dict[Key, Change]
    reason: str


@dataclass(slots=True)
class SettleWindow:
    """Moves of one base within its settle window become one rebuild; a change that may not wait ends the wait.

    The window opens with the first move and is not prolonged by later ones, so nothing waits longer than the policy
    says. `unrated` is how severe a security fix counts that nobody has rated (None: not at all).
    """

    fleet: ReplayedFleet
    policy: Policy
    unrated: Severity | None = Severity.HIGH
    _waiting: dict[tuple[str, Base], _Waiting] = field(default_factory=dict)
    _queue: list[tuple[datetime, str, Base]] = field(default_factory=list)
    _notices: list[Deed] = field(default_factory=list)
    _agreed: dict[tuple[str, Base, Cause, Severity | None], Terms] = field(default_factory=dict)
    _seen: set[Key] = field(default_factory=set)

    def offer(self, change: Change, now: datetime) -> None:
        again = key_of(change) in self._seen
        self._seen.add(key_of(change))
        for use in self.fleet.uses_of(change.base):
            if change.cause in (Cause.WITHDRAWN, Cause.RETURNED):
                self._notify(use, change, now)
            elif again:
                self._learn(use, change, now)
            elif is_touched(use.usage, change):
                self._await(use, change, now)

    def due(self, now: datetime) -> Iterator[Deed]:
        yield from self._notices
        self._notices.clear()
        while self._queue and self._queue[0][0] <= now:
            at = self._queue[0][0]
            ready: list[_Waiting] = []
            while self._queue and self._queue[0][0] == at:
                _, repository, base = heappop(self._queue)
                waiting = self._waiting.get((repository, base))
                if waiting is not None and waiting.due == at:
                    ready.append(self._waiting.pop((repository, base)))
            yield from _merged(at, ready)

    def _await(self, use: Use, change: Change, now: datetime) -> None:
        terms = self._terms(use, change)
        due = self._due(change, terms, now)
        waiting = self._waiting.get((use.repository.name, change.base))
        if waiting is None:
            waiting = _Waiting(use, due, _action(use, terms), {}, _reason(terms))
            self._waiting[use.repository.name, change.base] = waiting
            self._enqueue(waiting, change.base)
        waiting.changes[key_of(change)] = change
        self._hasten(waiting, change.base, due)

    def _due(self, change: Change, terms: Terms, now: datetime) -> datetime:
        opening = next_opening(terms.windows, now + terms.settle)
        latest = None if terms.max_age is None else max(now, change.at + terms.max_age)
        at = opening if latest is None else min(opening, latest)
        return thawed_beginning(at, terms, self.policy.freezes, change.severity, latest).at

    def _learn(self, use: Use, change: Change, now: datetime) -> None:
        """What waits is carried out with the better knowledge; what is done is not done again."""
        waiting = self._waiting.get((use.repository.name, change.base))
        if waiting is not None and key_of(change) in waiting.changes:
            self._await(use, change, now)

    def _hasten(self, waiting: _Waiting, base: Base, due: datetime) -> None:
        if due < waiting.due:
            waiting.due = due
            waiting.reason = "a change that may not wait ended the settle window"
            self._enqueue(waiting, base)

    def _enqueue(self, waiting: _Waiting, base: Base) -> None:
        heappush(self._queue, (waiting.due, waiting.use.repository.name, base))

    def _notify(self, use: Use, change: Change, now: datetime) -> None:
        reason = f"{change.base.short} {change.detail}"
        self._notices.append(Deed(now, use.repository.name, Action.NOTIFY, (change,), reason))

    def _terms(self, use: Use, change: Change) -> Terms:
        severity = change.severity
        if severity is None and change.cause is Cause.DOTNET_SECURITY:
            severity = self.unrated
        asked = (use.repository.name, change.base, change.cause, severity)
        if asked not in self._agreed:
            self._agreed[asked] = self.policy.terms(*asked)
        return self._agreed[asked]


def _merged(at: datetime, ready: list[_Waiting]) -> Iterator[Deed]:
    """One deed for each repository and action, whatever the number of its bases."""
    together: dict[tuple[str, Action], list[_Waiting]] = {}
    for waiting in ready:
        together.setdefault((waiting.use.repository.name, waiting.action), []).append(waiting)
    for (repository, action), group in sorted(together.items()):
        changes = tuple(change for waiting in group for change in waiting.changes.values())
        yield Deed(at, repository, action, changes, group[0].reason)


def _action(use: Use, terms: Terms) -> Action:
    if terms.action is not ActionPreference.AUTO:
        return Action(terms.action.value)
    pinned = use.usage.is_pinned or is_patch_pinned(use.usage.reference)
    return Action.DISPATCH if not pinned and terms.workflow in use.repository.workflows else Action.PULL_REQUEST


def _reason(terms: Terms) -> str:
    hours = terms.settle.total_seconds() / 3600
    return f"the base had {hours:g} h to settle" if hours else "the policy lets nothing settle"


def with_settle(policy: Policy, settle: timedelta) -> Policy:
    """Returns the policy with another settle window in each rule that has one; what may not wait still does not."""
    rules = tuple(replace(rule, settle=settle) if rule.settle else rule for rule in policy.rules)
    return replace(policy, rules=(*rules, PolicyRule(settle=settle)))
