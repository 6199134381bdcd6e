"""How long places were exposed: the law against a record of each hour, and what becomes of a promise."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.feeds.advisory import Severity
from bot.domain.packages.ledger.clocks import Passage, Station, StationClock
from bot.domain.running.causes import ExposureCause, Way, way_of
from bot.domain.running.exposure import CoveredSource, ExposedTime
from bot.domain.running.promises import BuildBeside, PromisedTime, PromiseState, promise_state
from bot.domain.running.report import WEEK, CveTimes, ExposedPlaceTimes, sums_of, weeks_until
from bot.domain.running.runs import Coverage
from bot.domain.running.snapshot import RunningPlace

NOON = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SPAN = 48
BEGIN = NOON - SPAN * HOUR
PASSED, WAITING = Passage.PASSED, Passage.WAITING


def hour(number: int) -> datetime:
    return BEGIN + number * HOUR


hours = st.integers(-40, SPAN - 1)
stations = st.one_of(
    st.tuples(st.just(PASSED), st.none() | hours.map(hour)),
    st.sampled_from([(WAITING, None), (Passage.UNKNOWN, None)]),
)
ways = st.lists(stations, max_size=3).map(
    lambda each: tuple((cause, *station) for cause, station in zip(ExposureCause, each, strict=False))
)


@st.composite
def times(draw: st.DrawFn) -> tuple[ExposedTime, ...]:
    """Times that follow each other, of which the last may go on."""
    ends = sorted(draw(st.sets(st.integers(-60, SPAN), min_size=1, max_size=6)))
    pairs = list(zip(ends[::2], [*ends[1::2], None], strict=False))
    return tuple(ExposedTime(hour(begin), False, NOON, None if end is None else hour(end)) for begin, end in pairs)


cves = st.lists(
    st.builds(
        CveTimes,
        st.sampled_from([("CVE-2026-1",), ("CVE-2026-2",), ("CVE-2026-3", "CVE-2026-4")]),
        st.sampled_from([None, Severity.LOW, Severity.CRITICAL]),
        times(),
        ways,
    ),
    max_size=4,
    unique_by=lambda each: each.cves,
).map(tuple)
teams = st.lists(st.sampled_from(["contoso/web", "contoso/platform"]), unique=True, max_size=2).map(tuple)


@st.composite
def coverages(draw: st.DrawFn) -> tuple[Coverage, ...]:
    edges = sorted(draw(st.sets(st.integers(-60, SPAN), min_size=2, max_size=6)))
    return tuple(Coverage(hour(begin), hour(end)) for begin, end in zip(edges[::2], edges[1::2], strict=False))


def cause_at(way: Way, moment: datetime) -> ExposureCause:
    """Walks along the stations as they stood then."""
    is_doubtful = False
    for cause, passage, at in way:
        if passage is PASSED and at is None:
            is_doubtful = True
        elif passage is PASSED and at is not None and at <= moment:
            is_doubtful = False
        else:
            return ExposureCause.UNKNOWN if is_doubtful or passage is Passage.UNKNOWN else cause
    return ExposureCause.UNKNOWN if is_doubtful else ExposureCause.DEPLOY


def is_exposed(cve: CveTimes, moment: datetime) -> bool:
    return any(each.since <= moment and (each.until is None or moment < each.until) for each in cve.times)


@settings(deadline=None)
@given(st.lists(st.tuples(teams, cves), max_size=3), coverages())
def test_sums_are_those_of_a_record_of_each_hour(
    places: list[tuple[tuple[str, ...], tuple[CveTimes, ...]]], covered: tuple[Coverage, ...]
) -> None:
    source = CoveredSource("europe", "production", covered, stale_after=timedelta())
    had = [
        ExposedPlaceTimes("europe", RunningPlace("shop", "Deployment", f"web-{number}", "web"), owners, several)
        for number, (owners, several) in enumerate(places)
    ]
    hours_by_row: Counter[tuple[str, Severity | None, ExposureCause]] = Counter()
    hours_by_severity: Counter[Severity | None] = Counter()
    in_all = 0
    for moment in map(hour, range(SPAN)):
        if not any(each.since <= moment < each.until for each in covered):
            continue
        for place in had:
            having = [cve for cve in place.cves if is_exposed(cve, moment)]
            rows = {(cve.severity, cause_at(cve.way, moment)) for cve in having}
            hours_by_row.update((team, *row) for team in place.teams or ("",) for row in rows)
            hours_by_severity.update({cve.severity for cve in having})
            in_all += bool(having)
    sums = sums_of(BEGIN, NOON, {"europe": source}, had)
    assert {(row.team, row.severity, row.cause): row.time // HOUR for row in sums.rows} == hours_by_row
    assert sums.time // HOUR == in_all
    last = sums.trend[-1]
    if all(each.since >= BEGIN for place in had for cve in place.cves for each in cve.times):
        assert {key: time // HOUR for key, time in last.by_severity.items()} == hours_by_severity


def test_the_trend_ends_with_the_report_and_has_thirteen_whole_weeks() -> None:
    weeks = weeks_until(NOON)
    assert (len(weeks), weeks[-1][1], weeks[0][0]) == (13, NOON, NOON - 13 * WEEK)
    assert all(first[1] == second[0] for first, second in pairwise(weeks))


def test_how_much_of_a_week_was_read_is_told_over_all_sources() -> None:
    half = CoveredSource("europe", "production", (Coverage(NOON - WEEK / 2, NOON),), stale_after=timedelta())
    none = CoveredSource("asia", "production", (), stale_after=timedelta())
    weeks = sums_of(NOON - WEEK, NOON, {"europe": half, "asia": none}, []).trend
    assert [week.known for week in weeks] == [0.0] * 12 + [0.25]


def test_stations_that_the_fix_does_not_come_by_keep_nobody() -> None:
    clocks = {
        Station.FIX: StationClock(PASSED, hour(1)),
        Station.BASE: StationClock(Passage.NOT_CONCERNED),
        Station.IMAGE: StationClock(WAITING),
        Station.DEPLOYED: StationClock(Passage.AHEAD),
    }
    assert way_of(clocks) == ((ExposureCause.NO_FIX, PASSED, hour(1)), (ExposureCause.IMAGE, WAITING, None))


NO_FIX = ExposureCause.NO_FIX
FIXED: Way = ((NO_FIX, PASSED, BEGIN),)


@pytest.mark.parametrize(
    ("time", "is_rid", "way", "state"),
    [
        (ExposedTime(BEGIN, False, hour(20), hour(20)), True, FIXED, PromiseState.KEPT),
        (ExposedTime(BEGIN, False, hour(30), hour(30)), True, FIXED, PromiseState.MISSED),
        (ExposedTime(hour(30), False, NOON, None), False, FIXED, PromiseState.IN_TIME),
        (ExposedTime(hour(10), False, NOON, None), False, FIXED, PromiseState.MISSED),
        (ExposedTime(hour(10), False, hour(20), None), False, FIXED, PromiseState.UNKNOWN),
        (ExposedTime(hour(30), True, NOON, None), False, FIXED, PromiseState.UNKNOWN),
        (ExposedTime(BEGIN, False, hour(10), hour(30)), True, FIXED, PromiseState.UNKNOWN),
        (ExposedTime(BEGIN, False, hour(20), hour(20)), False, FIXED, PromiseState.UNKNOWN),
        (ExposedTime(BEGIN, False, hour(20), hour(20)), None, FIXED, PromiseState.UNKNOWN),
        (ExposedTime(hour(30), False, hour(31), hour(31)), False, FIXED, PromiseState.IN_TIME),
        (ExposedTime(BEGIN, False, NOON, None), False, ((NO_FIX, WAITING, None),), None),
        (ExposedTime(BEGIN, False, NOON, None), False, ((NO_FIX, PASSED, hour(40)),), PromiseState.IN_TIME),
        (ExposedTime(BEGIN, False, NOON, None), False, ((NO_FIX, PASSED, None),), PromiseState.UNKNOWN),
        (ExposedTime(BEGIN, False, NOON, None), False, ((NO_FIX, Passage.UNKNOWN, None),), PromiseState.UNKNOWN),
    ],
)
def test_a_promise_runs_from_when_there_is_a_fix_until_it_runs(
    time: ExposedTime, is_rid: bool | None, way: Way, state: PromiseState | None
) -> None:
    assert promise_state(PromisedTime(time, is_rid), way, DAY, NOON) is state


def test_what_was_open_when_its_source_fell_silent_is_not_in_time() -> None:
    time = PromisedTime(ExposedTime(hour(30), False, hour(40), None))
    assert promise_state(time, FIXED, DAY, NOON, is_known=False) is PromiseState.UNKNOWN


def states(*cve_times: CveTimes, source: CoveredSource | None = None) -> dict[PromiseState, int]:
    """How promises of one place stand."""
    place = ExposedPlaceTimes("europe", RunningPlace("shop", "CronJob", "mail", "mail"), (), cve_times)
    read = source or CoveredSource("europe", "production", (Coverage(hour(-60), NOON),))
    counts = Counter[PromiseState]()
    for each in sums_of(BEGIN, NOON, {"europe": read}, [place]).promises:
        counts.update(each.states)
    return dict(counts)


def nightly(*others: BuildBeside) -> CveTimes:
    """What a job had that runs for an hour at a time."""
    runs = (ExposedTime(hour(each), False, hour(each + 1), hour(each + 1)) for each in (2, 12, 22, 32))
    return CveTimes(("CVE-2026-1",), Severity.HIGH, tuple(runs), FIXED, DAY, others)


def test_a_job_that_had_it_each_time_is_one_promise_that_was_missed() -> None:
    assert states(nightly()) == {PromiseState.MISSED: 1}


def test_what_came_back_after_another_build_is_judged_anew() -> None:
    assert states(nightly(BuildBeside(hour(14), hour(15), True), BuildBeside(hour(40), NOON, True))) == {
        PromiseState.KEPT: 1
    }


def test_a_build_of_which_not_all_is_known_keeps_no_promise() -> None:
    assert states(nightly(BuildBeside(hour(14), hour(15), False), BuildBeside(hour(40), NOON, True))) == {
        PromiseState.UNKNOWN: 1
    }


@pytest.mark.parametrize(
    ("since", "state"), [(11, PromiseState.UNKNOWN), (20, PromiseState.UNKNOWN), (40, PromiseState.KEPT)]
)
def test_a_promise_is_kept_only_if_nothing_that_may_have_it_ran_until_something_without_it_did(
    since: int, state: PromiseState
) -> None:
    had = ExposedTime(hour(10), False, hour(14), hour(15))
    doubtful = BuildBeside(hour(since), NOON, False)
    free = BuildBeside(hour(30), NOON, True)
    cve = CveTimes(("CVE-2026-1",), Severity.HIGH, (had,), FIXED, DAY, (doubtful, free))
    assert states(cve) == {state: 1}


def test_a_source_that_settings_name_no_more_is_asked_for_nothing_behind_its_end() -> None:
    old = CoveredSource("old", "", (Coverage(NOON - 2 * WEEK, NOON - WEEK),), is_listed=False)
    read = CoveredSource("europe", "", (Coverage(NOON - 2 * WEEK, NOON),))
    weeks = sums_of(NOON - WEEK, NOON, {"old": old, "europe": read}, []).trend
    assert [each.known for each in weeks[-2:]] == [1.0, 1.0]
    assert list(old.holes(NOON - WEEK, NOON)) == []


def test_what_a_source_told_that_settings_name_no_more_misses_no_promise_now() -> None:
    old = CoveredSource("europe", "", (Coverage(hour(-90), hour(-1)),), is_listed=False)
    time = ExposedTime(hour(-80), False, hour(-1), None)
    fixed: Way = ((NO_FIX, PASSED, hour(-90)),)
    assert states(CveTimes(("CVE-2026-1",), Severity.HIGH, (time,), fixed, DAY), source=old) == {}


def test_what_had_ended_before_the_time_in_question_counts_for_no_promise() -> None:
    cve = CveTimes(("CVE-2026-1",), Severity.HIGH, (ExposedTime(hour(-9), False, hour(-8), hour(-8)),), FIXED, DAY)
    place = ExposedPlaceTimes("europe", RunningPlace("shop", "Deployment", "web", "web"), (), (cve,))
    source = CoveredSource("europe", "production", (Coverage(hour(-60), NOON),))
    assert sums_of(BEGIN, NOON, {"europe": source}, [place]).promises == ()
