"""The exposure report: its first sentence, its figures, and its rows as plain values."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.domain.feeds.advisory import Severity
from bot.domain.running.promises import PromiseState
from bot.domain.running.report import ExposureSum, ExposureSums, PromiseSum, WeekExposed
from bot.domain.wording.words import counted, percent

_DAY = timedelta(days=1)
_NOTHING = ExposureSums((), (), (), timedelta(), 0)
_NO_TEAM = "no team"
_UNRATED = "unrated"


@dataclass(frozen=True, slots=True)
class Unread:
    """Why places may have had more than is told: so many, for so long together."""

    why: str
    places: int
    time: timedelta

    @property
    def line(self) -> str:
        return f"{counted(self.places, 'place')} for {days_told(self.time)}: {self.why}"


@dataclass(frozen=True, slots=True)
class ExposureReport:
    """How long what ran was exposed. `places` ran at some time between; `lines` say when it is not known what ran,
    `unread` and `gaps` why there may be more. There are no `sources` where nothing tells what runs."""

    since: datetime
    until: datetime
    sums: ExposureSums = _NOTHING
    places: int = 0
    unread: tuple[Unread, ...] = ()
    lines: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    @property
    def not_known(self) -> tuple[str, ...]:
        """A line for each reason why there may be more than is told."""
        return (*self.lines, *(each.line for each in self.unread), *self.gaps)

    @property
    def verdict(self) -> str:
        """The answer in one line."""
        if not self.sums.places:
            return self.headline
        return "; ".join([self.headline, *self._promises(), *self._trend()])

    @property
    def headline(self) -> str:
        """How many places were exposed, and for how long."""
        if not self.sources:
            return "not known: no source tells what runs (`running.sources` in the settings)"
        span = counted((self.until - self.since) // _DAY, "day", "days")
        if not self.sums.places and self.not_known:
            return f"not known whether any place was exposed in the last {span}"
        if not self.sums.places:
            return f"not exposed in the last {span}: none of {counted(self.places, 'running place')} was"
        exposed = f"{self.sums.places:,} of {counted(self.places, 'running place')}"
        return f"exposed in the last {span}: {exposed}, for {days_told(self.sums.time)} together"

    @property
    def week_before(self) -> str:
        """How long places were exposed in the week before the last; empty where nothing tells of weeks."""
        if len(self.sums.trend) < 2:
            return ""
        return _week_told(self.sums.trend[-2], "the week before")

    @property
    def missed(self) -> tuple[tuple[str, int], ...]:
        """The teams that missed promises, each with how many, the most first."""
        by_team = Counter[str]()
        for each in self.sums.promises:
            by_team[each.team or _NO_TEAM] += each.number(PromiseState.MISSED)
        return tuple(sorted((+by_team).items(), key=lambda item: (-item[1], item[0])))

    def _promises(self) -> Iterator[str]:
        missed = self.promised(PromiseState.MISSED)
        kept = self.promised(PromiseState.KEPT)
        if self.sums.promises:
            yield f"{counted(missed, 'promise')} missed, {kept:,} kept"

    def _trend(self) -> Iterator[str]:
        before = self.sums.trend[0] if self.sums.trend else None
        if before is not None and before.known:
            yield _week_told(before, f"the week {len(self.sums.trend) - 1} weeks before")

    def promised(self, state: PromiseState) -> int:
        """How many CVEs of places stand so to what was promised."""
        return sum(each.number(state) for each in self.sums.promises)


def days_told(time: timedelta) -> str:
    """Words a time in days, as a sum of many places' is read: `0.3 days`, `1,204.0 days`."""
    return f"{time / _DAY:,.1f} days"


def _week_told(week: WeekExposed, name: str) -> str:
    """How long places were exposed in a week, as far as that is known."""
    if not week.known:
        return f"{name} is not known"
    return f"{days_told(week.time)} in {name if week.is_known else f'what is known of {name}'}"


COLUMNS = (
    "row",
    "since",
    "severity",
    "team",
    "cause",
    "days",
    "places",
    "cves",
    "known",
    *(each.value for each in PromiseState),
)
"""`row` says what a line is about: `exposed`, `promise` or `trend`; `known` is the share of a week of the trend of
which it is known what ran."""


def table(report: ExposureReport) -> Iterator[tuple[object, ...]]:
    """All sums, for a spreadsheet: each severity, team and cause, each promise, and each week of the trend."""
    since = f"{report.since:%Y-%m-%d}"
    for row in report.sums.rows:
        yield "exposed", since, _rated(row.severity), row.team, row.cause, _days(row.time), row.places, row.cves
    for promise in report.sums.promises:
        states = (promise.number(each) for each in PromiseState)
        yield "promise", since, _rated(promise.severity), promise.team, *[None] * 5, *states
    for each in _read_weeks(report):
        start, known = f"{each.since:%Y-%m-%d}", _known(each)
        yield "trend", start, "all", None, None, _days(each.time), None, None, known
        for severity in _severities(each.by_severity):
            days = _days(each.by_severity[severity])
            yield "trend", start, _rated(severity), None, None, days, None, None, known


EXPOSED = ("severity", "team", "waits for", "days", "places", "CVEs")
PROMISED = ("severity", "team", "kept", "missed", "in time", "not known")
TREND = ("week from", "days", "critical", "high", "read")


def exposed_rows(report: ExposureReport) -> Iterator[tuple[str, str, str, str, int, int]]:
    """A row for each severity, team and cause, for people."""
    for row in report.sums.rows:
        yield (*_named(row), row.cause.value, f"{_days(row.time):,.1f}", row.places, row.cves)


def promise_rows(report: ExposureReport) -> Iterator[tuple[str, str, int, int, int, int]]:
    """A row for each promise: how many were kept, were missed, have time left, and cannot be told."""
    for each in report.sums.promises:
        kept, missed, in_time, not_known = (each.number(state) for state in PromiseState)
        yield (*_named(each), kept, missed, in_time, not_known)


def trend_rows(report: ExposureReport) -> Iterator[tuple[str, ...]]:
    """A row for each week of which anything was read: how many days in all, to what is critical and high, and how
    much of the week was read."""
    for week in _read_weeks(report):
        severe = (week.by_severity.get(each, timedelta()) for each in (Severity.CRITICAL, Severity.HIGH))
        days = (f"{_days(time):,.1f}" for time in (week.time, *severe))
        yield f"{week.since:%Y-%m-%d}", *days, percent(week.known)


def _read_weeks(report: ExposureReport) -> Iterator[WeekExposed]:
    """A week of which nothing is known is none in which nothing was exposed."""
    return (week for week in report.sums.trend if week.known)


def as_json(report: ExposureReport) -> dict[str, Any]:
    """Gives the report as plain JSON values, times in days."""
    return {
        "verdict": report.verdict,
        "since": report.since,
        "until": report.until,
        "places": report.places,
        "exposed_places": report.sums.places,
        "days": _days(report.sums.time),
        "exposed": [
            {
                "team": row.team,
                "severity": row.severity,
                "cause": row.cause,
                "days": _days(row.time),
                "places": row.places,
                "cves": row.cves,
            }
            for row in report.sums.rows
        ],
        "promises": [
            {
                "team": each.team,
                "severity": each.severity,
                **{state.value.replace(" ", "_"): each.number(state) for state in PromiseState},
            }
            for each in report.sums.promises
        ],
        "trend": [
            {
                "since": week.since,
                "until": week.until,
                "known": _known(week),
                "days": _days(week.time),
                "by_severity": {_rated(key): _days(week.by_severity[key]) for key in _severities(week.by_severity)},
            }
            for week in report.sums.trend
        ],
        "not_known": list(report.not_known),
    }


def _named(row: ExposureSum | PromiseSum) -> tuple[str, str]:
    return (row.severity.told if row.severity is not None else _UNRATED), row.team or _NO_TEAM


def _rated(severity: Severity | None) -> str:
    return severity.value if severity is not None else _UNRATED


def _severities(times: Mapping[Severity | None, timedelta]) -> Sequence[Severity | None]:
    return [each for each in (*reversed(Severity), None) if each in times]


def _known(week: WeekExposed) -> float:
    """To a thousandth; all and nothing stand for just these."""
    return min(max(round(week.known, 3), 0.001), 0.999) if 0 < week.known < 1 else week.known


def _days(time: timedelta) -> float:
    return round(time / _DAY, 2)
