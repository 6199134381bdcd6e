"""What a replay showed: frozen figures, ready for any rendering. Times are lengths unless said otherwise."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from statistics import median

from bot.backtest.assumptions import Assumptions
from bot.backtest.planner import Deed, Key, key_of
from bot.domain.bases.change import Cause, Change
from bot.domain.bases.notice import Notice
from bot.domain.rollouts.rebuild import Action


@dataclass(frozen=True, slots=True)
class Delays:
    """How long things took: half of them at most `median`, nine in ten at most `p90`."""

    count: int
    median: timedelta
    p90: timedelta
    longest: timedelta

    @classmethod
    def of(cls, values: Iterable[timedelta]) -> "Delays":
        ordered = sorted(values)
        if not ordered:
            return cls(0, timedelta(), timedelta(), timedelta())
        rank = ceil(0.9 * len(ordered)) - 1
        middle = timedelta(seconds=median(value.total_seconds() for value in ordered))
        return cls(len(ordered), middle, ordered[rank], ordered[-1])


@dataclass(frozen=True, slots=True)
class CauseMonths:
    """`counts` are in the order of `ReplayReport.months`."""

    cause: Cause
    total: int
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Hindsight:
    """Changes whose cause was first given as one thing and turned out to be another (or the same)."""

    at_detection: Cause
    final: Cause
    count: int
    caught_up: Delays


@dataclass(frozen=True, slots=True)
class ReplayedRow:
    """`untouched` counts moves of its bases that no platform of its own took part in."""

    name: str
    bases: tuple[str, ...]
    pull_requests: int
    dispatches: int
    messages: int
    untouched: int

    @property
    def rebuilds(self) -> int:
        return self.pull_requests + self.dispatches


@dataclass(frozen=True, slots=True)
class SettleRow:
    """One settle window, counted over all bases as if one repository stood on each.

    `saved` is against no window at all. `security` and `other`: from detection to the rebuild.
    """

    settle: timedelta
    rebuilds: int
    saved: int
    security: Delays
    other: Delays


@dataclass(frozen=True, slots=True)
class SiblingRow:
    """How a chiseled or distroless tag followed the OS updates of the full image beside it."""

    base: str
    sibling: str
    updates: int
    together: int
    followed: Delays
    pending: int


@dataclass(frozen=True, slots=True)
class ReleaseLagRow:
    """How the images of a family came out against the release feed; `early` were there before it."""

    family: str
    early: int
    ahead: Delays
    behind: Delays


@dataclass(frozen=True, slots=True)
class UpstreamSection:
    """What upstream did: how siblings and releases lagged, and what was withdrawn, ended, was missed or moved to
    another distribution."""

    siblings: tuple[SiblingRow, ...] = ()
    releases: tuple[ReleaseLagRow, ...] = ()
    withdrawn: tuple[Notice, ...] = ()
    ending: tuple[Notice, ...] = ()
    waiting: tuple[Notice, ...] = ()
    moved_underneath: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True)
class Patched:
    """How long after a change its repositories had an image with it: half of them, 95 in 100, all."""

    count: int
    half: timedelta
    most: timedelta
    all: timedelta

    @classmethod
    def of(cls, values: Iterable[timedelta]) -> "Patched":
        ordered = sorted(values)
        if not ordered:
            return cls(0, timedelta(), timedelta(), timedelta())
        half, most = (ordered[ceil(share * len(ordered)) - 1] for share in (0.5, 0.95))
        return cls(len(ordered), half, most, ordered[-1])


@dataclass(frozen=True, slots=True)
class RolloutFigures:
    """What waves, soaks, budgets, merging and the weekly guarantee make of it.

    `runs` are builds, `weekly_runs` those of them for their age alone; `runs_at_once` is how many there would be
    if each change was built upon at once.
    """

    rollouts: int
    runs: int
    weekly_runs: int
    runs_at_once: int
    security: Patched
    other: Patched
    waited_for_budget: timedelta
    assumptions: Assumptions


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """`synthetic`: the repositories were made up. `changes` are final, in the order of detection.

    `rollouts` is None where the policy has one wave only, and nothing else that needs playing.
    """

    started: datetime
    ended: datetime
    observations: int
    bases: int
    changes: tuple[Change, ...]
    months: tuple[str, ...]
    causes: tuple[CauseMonths, ...]
    hindsight: tuple[Hindsight, ...]
    repositories: tuple[ReplayedRow, ...]
    synthetic: bool
    publications: int
    to_action_security: Delays
    to_action_other: Delays
    settle: tuple[SettleRow, ...]
    upstream: UpstreamSection
    rollouts: RolloutFigures | None = None

    @property
    def pull_requests(self) -> int:
        return sum(row.pull_requests for row in self.repositories)

    @property
    def dispatches(self) -> int:
        return sum(row.dispatches for row in self.repositories)

    @property
    def messages(self) -> int:
        return sum(row.messages for row in self.repositories)


@dataclass(slots=True)
class ReplayLedger:
    """Adds deeds up as they happen, so that none needs to be kept.

    `fixes` are the changes that turned out to be security fixes, whatever was known when they were acted on.
    """

    fixes: frozenset[Key] = frozenset()
    actions: Counter[tuple[str, Action]] = field(default_factory=Counter)
    rebuilds: int = 0
    security: list[timedelta] = field(default_factory=list)
    other: list[timedelta] = field(default_factory=list)

    def enter(self, deed: Deed) -> None:
        self.actions[deed.repository, deed.action] += 1
        if deed.action is Action.NOTIFY:
            return
        self.rebuilds += 1
        for change in deed.changes:
            delays = self.security if key_of(change) in self.fixes else self.other
            delays.append(deed.at - change.at)


def months_between(started: datetime, ended: datetime) -> tuple[str, ...]:
    """`2023-01` and on, both ends included."""
    first, last = started.year * 12 + started.month - 1, ended.year * 12 + ended.month - 1
    return tuple(f"{number // 12}-{number % 12 + 1:02}" for number in range(first, last + 1))


def by_cause(changes: Sequence[Change], months: Sequence[str]) -> tuple[CauseMonths, ...]:
    """Counts by cause, in the order of their definition; causes that never occurred are left out."""
    counted = Counter((change.cause, f"{change.at:%Y-%m}") for change in changes)
    totals = Counter(change.cause for change in changes)
    return tuple(
        CauseMonths(cause, totals[cause], tuple(counted[cause, month] for month in months))
        for cause in Cause
        if totals[cause]
    )


def hindsight(changes: Sequence[Change], caught_up: dict[int, datetime]) -> tuple[Hindsight, ...]:
    """`caught_up` says when the last thing was learnt about a change, by its place."""
    delays: dict[tuple[Cause, Cause], list[timedelta]] = {}
    counts: Counter[tuple[Cause, Cause]] = Counter()
    for place, change in enumerate(changes):
        pair = (change.cause_at_detection, change.cause)
        counts[pair] += 1
        if place in caught_up:
            delays.setdefault(pair, []).append(caught_up[place] - change.at)
    order = list(Cause)
    return tuple(
        Hindsight(*pair, count, Delays.of(delays.get(pair, ())))
        for pair, count in sorted(counts.items(), key=lambda entry: (order.index(entry[0][0]), -entry[1]))
    )
