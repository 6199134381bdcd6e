"""The ended runs of a place in one row tell what the runs one by one tell."""

from datetime import datetime
from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.running.exposure import ExposedTime, RunTime, exposed_times
from bot.store.rows.running.packed_runs import EVER, PackedRun, PackedRuns, microseconds, moment_of

LAST = 8
TIMES = st.integers(0, LAST)


@st.composite
def a_run(draw: st.DrawFn) -> PackedRun:
    since, until = sorted((draw(TIMES), draw(TIMES)))
    seen_at = draw(st.integers(since, until))
    return PackedRun(
        since, until, seen_at, draw(st.integers(1, 10**12)), draw(st.integers(1, 4)), draw(st.booleans())
    )


@st.composite
def one_after_another(draw: st.DrawFn) -> list[PackedRun]:
    """Runs of builds that replace each other, some with a time between."""
    times = sorted(draw(st.lists(TIMES, min_size=2, max_size=8)))
    return [
        PackedRun(since, until, until, number, draw(st.integers(1, 4)), draw(st.booleans()))
        for number, (since, until) in enumerate(pairwise(times))
        if draw(st.integers(0, 4))
    ]


SEVERAL = st.one_of(st.lists(a_run(), max_size=6), one_after_another())
BUILDS = st.frozensets(st.integers(1, 4))
AFTER = st.one_of(st.just(EVER), TIMES)


def time_of(run: PackedRun) -> RunTime:
    return moment_of(run.since), run.is_older, moment_of(run.seen_at), moment_of(run.until)


def exposed(times: list[RunTime], after: int, at: int) -> list[ExposedTime]:
    return list(exposed_times(times, None if after == EVER else moment_of(after), moment_of(at)))


@given(SEVERAL)
def test_what_is_packed_is_read_as_it_was(several: list[PackedRun]) -> None:
    past = PackedRuns.unpacked(PackedRuns.of(several).packed)
    assert sorted(past, key=str) == sorted(several, key=str)
    assert past == PackedRuns.of(several)


@given(SEVERAL, AFTER, TIMES, BUILDS)
def test_builds_ran_when_their_runs_did(
    several: list[PackedRun], after: int, at: int, builds: frozenset[int]
) -> None:
    past = PackedRuns.of(several)
    ended = [run for run in several if run.build in builds and after < run.until <= at]
    times = list(past.times(after, at, builds))
    assert exposed(times, after, at) == exposed([time_of(run) for run in ended], after, at)
    assert set(past.ended(after, at, builds)) == {run.id for run in ended}
    assert builds.intersection(past.builds_ended(after, at)) >= {run.build for run in ended}


@given(SEVERAL, TIMES)
def test_what_ran_at_a_time_had_begun_and_not_ended(several: list[PackedRun], at: int) -> None:
    assert set(PackedRuns.of(several).there_at(at)) == {run.id for run in several if run.since <= at < run.until}


def test_builds_that_replace_each_other_are_one_time() -> None:
    several = [PackedRun(10 * each, 10 * (each + 1), 10 * each + 9, each, 1, False) for each in range(200)]
    [time] = PackedRuns.of(several).times(EVER, 5_000, frozenset({1}))
    assert time == (moment_of(0), False, moment_of(1_999), moment_of(2_000))


@pytest.mark.parametrize("packed", [b"", b"\x02", b"\x01" + bytes(41), b"runs"])
def test_other_bytes_are_no_runs(packed: bytes) -> None:
    with pytest.raises(ValueError, match="bytes are no packed runs"):
        PackedRuns.unpacked(packed)


@pytest.mark.parametrize(
    "moment",
    [f"{day}T{time}+00:00" for day, time in product(("1969-12-31", "2026-12-01"), ("23:59:59.999999", "12:00:00"))],
)
def test_moments_are_kept_to_the_microsecond(moment: str) -> None:
    assert moment_of(microseconds(datetime.fromisoformat(moment))).isoformat() == moment
