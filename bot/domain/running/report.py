"""How long running places were exposed to CVEs, by severity, team and cause, and which promises were kept.

A moment of a place counts once in each sum, however many CVEs it has then; one of which it is not known what ran
counts in none.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.domain.feeds.advisory import Severity
from bot.domain.running.causes import ExposureCause, Part, Way, causes_between
from bot.domain.running.exposure import CoveredSource, ExposedTime
from bot.domain.running.promises import (
    BEST_FIRST,
    BuildBeside,
    PromiseState,
    promise_state,
    promised_times,
)
from bot.domain.running.snapshot import RunningPlace

WEEK = timedelta(days=7)
WEEKS = 13
"""Of the trend: 90 days, to whole weeks."""


@dataclass(frozen=True, slots=True)
class CveTimes:
    """The times through which a place had each of these CVEs, with the way of its fix, how soon it was to be gone,
    and what else was seen there, which is told where anything is promised."""

    cves: tuple[str, ...]
    severity: Severity | None
    times: tuple[ExposedTime, ...]
    way: Way
    within: timedelta | None = None
    others: tuple[BuildBeside, ...] = ()


@dataclass(frozen=True, slots=True)
class ExposedPlaceTimes:
    """A place with the CVEs that it has, or had; `teams` own what builds it, none where nobody is known to."""

    source: str
    place: RunningPlace
    teams: tuple[str, ...]
    cves: tuple[CveTimes, ...]


@dataclass(frozen=True, slots=True)
class ExposureSum:
    """How long places of a team were exposed to CVEs of a severity for one cause; None stands for what nobody has
    rated, and an empty team for what nobody is known to own."""

    team: str
    severity: Severity | None
    cause: ExposureCause
    time: timedelta
    places: int
    cves: int


@dataclass(frozen=True, slots=True)
class PromiseSum:
    """How a team kept what is promised for a severity: how many CVEs of places, by how they stand."""

    team: str
    severity: Severity | None
    states: Mapping[PromiseState, int]

    def number(self, state: PromiseState) -> int:
        return self.states.get(state, 0)


@dataclass(frozen=True, slots=True)
class WeekExposed:
    """How long places were exposed in a week, by severity, and to anything at all; `known` is the share of the week
    of which it is known what ran, over all sources."""

    since: datetime
    until: datetime
    by_severity: Mapping[Severity | None, timedelta]
    time: timedelta
    known: float = 1.0

    @property
    def is_known(self) -> bool:
        """Whether it is known of every source what ran there all week."""
        return self.known == 1.0


@dataclass(frozen=True, slots=True)
class ExposureSums:
    """All sums of a time; `time` is how long places were exposed to anything, `places` how many were."""

    rows: tuple[ExposureSum, ...]
    promises: tuple[PromiseSum, ...]
    trend: tuple[WeekExposed, ...]
    time: timedelta
    places: int


def weeks_until(until: datetime) -> tuple[Part, ...]:
    """The weeks of the trend, the last of which ends then."""
    return tuple((until - number * WEEK, until - (number - 1) * WEEK) for number in range(WEEKS, 0, -1))


def known_parts(source: CoveredSource, since: datetime, until: datetime) -> tuple[Part, ...]:
    """The times between in which it is known what ran in a source."""
    until = source.told_until(until)
    parts, begin = list[Part](), since
    for hole_since, hole_until in source.holes(since, until):
        if begin < hole_since:
            parts.append((begin, hole_since))
        begin = max(begin, hole_until)
    return (*parts, (begin, until)) if begin < until else tuple(parts)


def total(parts: Iterable[Part]) -> timedelta:
    """How long these times are together; what several cover counts once."""
    return sum((end - begin for begin, end in joined(parts)), timedelta())


def joined(parts: Iterable[Part]) -> list[Part]:
    """The same times, in their order, none of which overlaps another or follows it at once."""
    whole: list[Part] = []
    for begin, end in sorted(parts):
        if not whole or begin > whole[-1][1]:
            whole.append((begin, end))
        elif end > whole[-1][1]:
            whole[-1] = whole[-1][0], end
    return whole


def sums_of(
    since: datetime,
    until: datetime,
    sources: Mapping[str, CoveredSource],
    places: Iterable[ExposedPlaceTimes],
) -> ExposureSums:
    """Sums up a time, with the trend of the weeks that end with it."""
    weeks = weeks_until(until)
    first = min(since, weeks[0][0])
    known = {name: known_parts(source, first, until) for name, source in sources.items()}
    told = {name: source.told_until(until) for name, source in sources.items()}
    shares = [_known_share(week, [(known[name], told[name]) for name in sources]) for week in weeks]
    tally = _Tally(since, until, weeks, shares)
    for each in places:
        tally.add(each, known[each.source], told[each.source])
    return tally.sums()


def _known_share(week: Part, sources: Iterable[tuple[Sequence[Part], datetime]]) -> float:
    """How much of a week it is known of what ran, from none to all of it, over the sources that were there then:
    each with what is known of it, and until when it is asked for."""
    there = [(parts, _cut((week[0], told_until), week)) for parts, told_until in sources if told_until > week[0]]
    times = [total(parts_within(asked, parts)) / (asked[1] - asked[0]) for parts, asked in there]
    return sum(times) / len(times) if times else 0.0


@dataclass
class _Tally:
    """Counts place by place: what one place had is put together and summed before the next."""

    since: datetime
    until: datetime
    weeks: Sequence[Part]
    known: Sequence[float]
    _times: dict[tuple[str, Severity | None, ExposureCause], timedelta] = field(default_factory=dict)
    _places: dict[tuple[str, Severity | None, ExposureCause], int] = field(default_factory=dict)
    _cves: dict[tuple[str, Severity | None, ExposureCause], set[str]] = field(default_factory=dict)
    _promises: dict[tuple[str, Severity | None], dict[PromiseState, int]] = field(default_factory=dict)
    _weekly: list[dict[Severity | None, timedelta]] = field(default_factory=list)
    _any: list[timedelta] = field(default_factory=list)
    _time: timedelta = timedelta()
    _exposed: int = 0

    def __post_init__(self) -> None:
        self._weekly = [{} for _ in self.weeks]
        self._any = [timedelta() for _ in self.weeks]

    def add(self, place: ExposedPlaceTimes, known: Sequence[Part], told_until: datetime) -> None:
        by_severity = defaultdict[Severity | None, set[Part]](set)
        by_cause = defaultdict[tuple[Severity | None, ExposureCause], set[Part]](set)
        names = defaultdict[tuple[Severity | None, ExposureCause], set[str]](set)
        teams = place.teams or ("",)
        is_known = bool(known) and known[-1][1] == self.until
        for each in place.cves:
            severity = each.severity
            if state := self._promise_state(each, told_until, is_known=is_known):
                for team in teams:
                    states = self._promises.setdefault((team, severity), {})
                    states[state] = states.get(state, 0) + len(each.cves)
            for time in each.times:
                whole = time.since, min(time.until or self.until, self.until)
                by_severity[severity].update(parts_within(whole, known))
                for cause, part in causes_between(each.way, *_cut(whole, (self.since, self.until))):
                    key = severity, cause
                    if seen := list(parts_within(part, known)):
                        by_cause[key].update(seen)
                        names[key].update(each.cves)
        for (severity, cause), parts in by_cause.items():
            for team in teams:
                row = team, severity, cause
                self._times[row] = self._times.get(row, timedelta()) + total(parts)
                self._places[row] = self._places.get(row, 0) + 1
                self._cves.setdefault(row, set()).update(names[severity, cause])
        self._add_weeks(by_severity)
        in_all = total(part for parts in by_cause.values() for part in parts)
        self._time += in_all
        self._exposed += bool(in_all)

    def _add_weeks(self, parts_of: Mapping[Severity | None, Iterable[Part]]) -> None:
        by_severity = {severity: joined(parts) for severity, parts in parts_of.items()}
        anything = joined(part for parts in by_severity.values() for part in parts)
        for number, week in enumerate(self.weeks):
            self._any[number] += total(parts_within(week, anything))
            for severity, parts in by_severity.items():
                if length := total(parts_within(week, parts)):
                    of_week = self._weekly[number]
                    of_week[severity] = of_week.get(severity, timedelta()) + length

    def _promise_state(self, several: CveTimes, told_until: datetime, *, is_known: bool) -> PromiseState | None:
        """The worst of the times of each of them in a place. What had ended before the time in question was told of
        then."""
        if several.within is None:
            return None
        asked = (
            each
            for each in promised_times(several.times, several.others)
            if each.time.since < self.until and (each.time.until or told_until) > self.since
        )
        states = (promise_state(each, several.way, several.within, self.until, is_known=is_known) for each in asked)
        return max(filter(None, states), key=BEST_FIRST.index, default=None)

    def sums(self) -> ExposureSums:
        rows = [
            ExposureSum(*key, time, self._places[key], len(self._cves[key])) for key, time in self._times.items()
        ]
        promises = [PromiseSum(team, severity, states) for (team, severity), states in self._promises.items()]
        trend = (
            WeekExposed(*week, by_severity, time, known)
            for week, by_severity, time, known in zip(self.weeks, self._weekly, self._any, self.known, strict=True)
        )
        return ExposureSums(
            tuple(sorted(rows, key=_worst_first)),
            tuple(sorted(promises, key=lambda each: (-_rank(each.severity), each.team))),
            tuple(trend),
            self._time,
            self._exposed,
        )


def _worst_first(row: ExposureSum) -> tuple[int, timedelta, str, str]:
    return -_rank(row.severity), -row.time, row.team, row.cause


def _rank(severity: Severity | None) -> int:
    return -1 if severity is None else severity.rank


def _cut(part: Part, to: Part) -> Part:
    return max(part[0], to[0]), min(part[1], to[1])


def parts_within(part: Part, parts: Iterable[Part]) -> Iterator[Part]:
    """What of these times lies within that one."""
    for each in parts:
        begin, end = _cut(each, part)
        if begin < end:
            yield begin, end
