"""How the fleet stands to each practice: shares over what holds and fails, with the unknowns beside them."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from bot.domain.repositories.finding import Finding, FindingSeverity, Outcome
from bot.domain.repositories.onboarding import OnboardingState
from bot.views.fleet.fleet import Standing
from bot.views.paging import Page

WEEKS = 12
"""How far back a trend goes."""
MOST_OF_FLEET = 8
"""Of the practices that are shown beside the fleet's freshness; all have a page of their own."""


@dataclass(frozen=True, slots=True)
class PracticeWeek:
    """One week, named by its Monday: the share at its end, None where nobody counted in it, and the findings that
    opened and closed in it."""

    monday: date
    share: float | None
    opened: int = 0
    closed: int = 0


@dataclass(frozen=True, slots=True)
class Practice:
    """One check over all listed repositories.

    `counts` says how many repositories have which outcome. `trend` has the share of each of the last weeks, the
    oldest first, None where nobody counted then. `opened` and `closed` are this week's findings, in places.
    """

    check: str
    title: str
    severity: FindingSeverity
    counts: Mapping[Outcome, int]
    trend: tuple[float | None, ...] = ()
    opened: int = 0
    closed: int = 0
    weeks: tuple[PracticeWeek, ...] = ()
    """The last weeks up to this one, the oldest first."""

    @property
    def judged(self) -> int:
        """Those of which it can be said whether it holds."""
        return self.counts.get(Outcome.HOLDS, 0) + self.counts.get(Outcome.FAILS, 0)

    @property
    def share(self) -> float | None:
        """How many of the judged ones it holds in; None where there is none."""
        return share_of(self.counts)

    @property
    def change(self) -> int | None:
        """Points since the oldest week of the trend that was counted; None where there is none."""
        first = next((each for each in self.trend if each is not None), None)
        share = self.share
        return None if first is None or share is None else round((share - first) * 100)

    @property
    def course(self) -> tuple[float | None, ...]:
        """The trend up to now."""
        return (*self.trend, self.share)

    def number(self, outcome: str) -> int:
        return self.counts.get(Outcome(outcome), 0)


@dataclass(frozen=True, slots=True)
class FleetPractices:
    """`repositories` were judged; `waiting` are due to be. `rows` are the checks that any of them is asked.

    `onboardings` says how many stand how with being brought there by pull requests.
    """

    repositories: int
    waiting: int
    rows: tuple[Practice, ...]
    onboardings: Mapping[OnboardingState, int] = field(default_factory=dict)

    @property
    def weeks(self) -> tuple[PracticeWeek, ...]:
        """What opened and closed in each week, over all checks, which have no share in common."""
        columns = zip(*(row.weeks for row in self.rows if row.weeks), strict=True)
        return tuple(
            PracticeWeek(
                column[0].monday, None, sum(one.opened for one in column), sum(one.closed for one in column)
            )
            for column in columns
        )

    @property
    def worst(self) -> tuple[Practice, ...]:
        """Those that hold in the smallest share of repositories, as many as a page about the fleet has room for."""
        failing = [row for row in self.rows if row.number("fails")]
        return tuple(sorted(failing, key=lambda row: row.share or 0)[:MOST_OF_FLEET])

    @property
    def opened(self) -> int:
        return sum(row.opened for row in self.rows)

    @property
    def closed(self) -> int:
        return sum(row.closed for row in self.rows)


@dataclass(frozen=True, slots=True)
class PracticeRepository:
    """One repository with the outcome of a check as a whole, and how it stands to its bases."""

    name: str
    outcome: Outcome
    standing: Standing | None


@dataclass(frozen=True, slots=True)
class PracticePage:
    """One check: how many repositories have which outcome now, and one page of those that are wanted."""

    check: str
    title: str
    severity: FindingSeverity
    counts: Mapping[Outcome, int]
    repositories: Page[PracticeRepository]


NO_PRACTICES = FleetPractices(0, 0, ())


@dataclass(frozen=True, slots=True)
class Audited:
    """What was found in one repository, and when; without a time it was not judged yet."""

    at: datetime | None
    findings: tuple[Finding, ...]


def share_of(counts: Mapping[Outcome, int]) -> float | None:
    """Gives the share of those that hold among those that hold or fail; None where there is none."""
    holds, fails = counts.get(Outcome.HOLDS, 0), counts.get(Outcome.FAILS, 0)
    return holds / (holds + fails) if holds + fails else None


def trend_of(days: Mapping[date, Mapping[Outcome, int]], trend_days: Sequence[date]) -> tuple[float | None, ...]:
    """The share on the last day that was counted in the week up to each of the wanted days."""
    in_order = sorted(days)
    return tuple(share_of(days[day]) if (day := _last(in_order, each)) else None for each in trend_days)


def _last(in_order: Sequence[date], until: date) -> date | None:
    place = bisect_right(in_order, until)
    return in_order[place - 1] if place and in_order[place - 1] > until - timedelta(days=7) else None


def weeks_of(
    days: Mapping[date, Mapping[Outcome, int]], moves: Mapping[date, tuple[int, int]], today: date
) -> tuple[PracticeWeek, ...]:
    """The last weeks up to this one; `moves` has what opened and closed by Monday."""
    monday = today - timedelta(days=today.weekday())
    mondays = [monday - timedelta(weeks=back) for back in range(WEEKS - 1, -1, -1)]
    shares = trend_of(days, [each + timedelta(days=6) for each in mondays])
    return tuple(
        PracticeWeek(week, share, *moves.get(week, (0, 0))) for week, share in zip(mondays, shares, strict=True)
    )


def as_json(practice: Practice) -> dict[str, Any]:
    """Gives the practice as plain JSON values."""
    return {
        "check": practice.check,
        "title": practice.title,
        "severity": practice.severity.value,
        "repositories": {outcome.value: practice.counts.get(outcome, 0) for outcome in Outcome},
        "share": practice.share,
        "trend": list(practice.trend),
        "opened": practice.opened,
        "closed": practice.closed,
        "weeks": [
            {"week": week.monday, "share": week.share, "opened": week.opened, "closed": week.closed}
            for week in practice.weeks
        ],
    }
