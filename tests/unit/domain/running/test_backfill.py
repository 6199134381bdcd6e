"""What samples tell of the past: windows of a grid, runs and coverage; the laws against a fold of whole lists."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.running.backfill import (
    MOMENTS,
    STEP,
    KeptPast,
    PastChanges,
    SampledContainer,
    SampledWindow,
    begin_of,
    changes_by_samples,
    window_after,
)
from bot.domain.running.runs import Coverage, KeptRuns, RunInPlace, changes_by
from bot.domain.running.snapshot import RunningContainer, RunningPlace, Snapshot

NOON = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
FIRST = NOON + 12 * STEP + timedelta(minutes=2)
"""When the source told first: two minutes after the last moment of the grid."""
WEB = RunningPlace("shop", "Deployment", "web", "web")
OLD, NEW = "sha256:" + "1" * 64, "sha256:" + "2" * 64
IMAGE = "ghcr.io/contoso/shop:1"


def at(step: int) -> datetime:
    return NOON + step * STEP


def sampled(*steps: int, digest: str = OLD, place: RunningPlace = WEB) -> SampledContainer:
    return SampledContainer(place, digest, IMAGE, tuple(at(step) for step in steps), 1)


def window(*containers: SampledContainer, whole: range | list[int] = range(13), last: int = 12) -> SampledWindow:
    return SampledWindow(at(0), at(last), containers, tuple(at(step) for step in whole))


def run(since: int, seen: int, until: datetime, *, digest: str = OLD, is_older: bool = False) -> RunInPlace:
    return RunInPlace(WEB, digest, IMAGE, at(since), is_older, at(seen), 1, until)


def test_what_is_asked_for_lies_on_a_grid_before_the_first_list() -> None:
    read_to = begin_of(FIRST, timedelta(hours=1))
    assert window_after(read_to, FIRST) == (at(1), at(12))
    assert window_after(at(12), FIRST) is None
    assert window_after(at(11), at(12)) is None
    assert window_after(at(0), at(100)) == (at(1), at(MOMENTS))


def test_what_the_first_list_does_not_show_ended_by_then() -> None:
    changed = changes_by_samples(KeptPast(FIRST), window(sampled(*range(13))))
    assert changed.opened == (run(0, 12, FIRST, is_older=True),)
    assert changed.covered == (Coverage(at(0), FIRST),)


def test_a_run_that_the_source_knows_itself_ends_where_that_begins() -> None:
    began = at(4) + timedelta(minutes=1)
    kept = KeptPast(FIRST, own={(WEB, OLD): began})
    assert changes_by_samples(kept, window(sampled(*range(13)))).opened == (run(0, 4, began, is_older=True),)


def test_nothing_is_told_of_a_run_that_began_before_all_samples() -> None:
    kept = KeptPast(FIRST, own={(WEB, OLD): at(-3)})
    assert changes_by_samples(kept, window(sampled(*range(13)))).opened == ()


def test_a_rollout_ends_one_run_and_begins_another() -> None:
    samples = sampled(*range(6)), sampled(*range(5, 13), digest=NEW)
    assert changes_by_samples(KeptPast(FIRST), window(*samples)).opened == (
        run(0, 5, at(6), is_older=True),
        run(5, 12, FIRST, digest=NEW),
    )


def test_moments_without_a_sample_are_a_hole_through_which_a_run_goes_on() -> None:
    steps = [0, 1, 2, 7, 8]
    changed = changes_by_samples(KeptPast(FIRST), window(sampled(*steps), whole=steps))
    assert changed.covered == (Coverage(at(0), at(2)), Coverage(at(7), at(8)))
    assert changed.opened == (run(0, 8, FIRST, is_older=True),)


def test_a_moment_at_which_something_is_left_open_ends_no_run() -> None:
    kept, whole = KeptPast(FIRST), [0, 1, 2, 5, 6]
    assert changes_by_samples(kept, window(sampled(0, 1, 2, 5, 6), whole=whole)).opened[0].until == FIRST
    assert changes_by_samples(kept, window(sampled(0, 1, 2), whole=whole)).opened[0].until == at(5)


def test_the_next_window_goes_on_with_what_the_last_one_left() -> None:
    kept = KeptPast(FIRST, Coverage(at(-5), at(-1)), (replace(run(-5, -1, FIRST), image="before"),))
    shown = changes_by_samples(kept, window(sampled(*range(3))))
    assert (shown.opened, shown.extended) == ((), (run(-5, 2, at(3)),))
    assert shown.covered == (Coverage(at(-5), FIRST),)
    [gone] = changes_by_samples(kept, window(whole=[0, 1])).extended
    assert (gone.seen_at, gone.until) == (at(-1), at(0))


STEPS = range(12)
COUNT = st.sets(st.sampled_from(STEPS))


@st.composite
def worlds(draw: st.DrawFn) -> tuple[dict[str, set[int]], set[int], int]:
    """At which steps each digest was sampled, at which all was told, and where the first window ends."""
    seen = {digest: draw(COUNT) for digest in (OLD, NEW)}
    return seen, draw(COUNT), draw(st.sampled_from(STEPS))


def told_by(seen: dict[str, set[int]], whole: set[int], since: int, until: int, kept: KeptPast) -> PastChanges:
    steps = range(since, until)
    containers = [
        sampled(*sorted(shown & set(steps)), digest=digest) for digest, shown in seen.items() if shown & set(steps)
    ]
    moments = tuple(at(step) for step in sorted(whole & set(steps)))
    return changes_by_samples(kept, SampledWindow(at(since), at(until - 1), tuple(containers), moments))


def all_told(seen: dict[str, set[int]], whole: set[int], split: int) -> tuple[set[RunInPlace], set[Coverage]]:
    """What two windows, the second of which begins at `split`, make of a world."""
    first = told_by(seen, whole, 0, split, KeptPast(FIRST))
    going = tuple(each for each in first.opened if each.until is not None and each.until > at(split - 1))
    last = max(first.covered, key=lambda each: each.until, default=None)
    second = told_by(seen, whole, split, len(STEPS), KeptPast(FIRST, last, going))
    runs = {*first.opened, *second.opened, *second.extended} - {*going} | ({*second.extended} & {*going})
    covered = {each.since: each for each in (*first.covered, *second.covered)}
    return runs, set(covered.values())


@settings(max_examples=300, deadline=None)
@given(worlds())
def test_no_moment_without_a_whole_sample_is_told_as_known(
    world: tuple[dict[str, set[int]], set[int], int],
) -> None:
    seen, whole, split = world
    runs, covered = all_told(seen, whole, split)
    known = {step for step in STEPS if any(each.since <= at(step) <= each.until for each in covered)}
    assert known == whole
    between = {step for step in STEPS if any(each.since < at(step) - STEP / 2 < each.until for each in covered)}
    assert between <= {step for step in whole if step - 1 in whole}
    assert {each.since for each in runs} <= {at(step) for steps in seen.values() for step in steps}
    assert {each.seen_at for each in runs} <= {at(step) for steps in seen.values() for step in steps}


@settings(max_examples=300, deadline=None)
@given(worlds())
def test_windows_tell_what_lists_one_after_another_would(
    world: tuple[dict[str, set[int]], set[int], int],
) -> None:
    seen, whole, split = world
    runs, covered = all_told(seen, whole, split)
    kept, ended, looks = KeptRuns(), set[RunInPlace](), dict[datetime, Coverage]()
    for step in sorted(whole.union(*seen.values())):
        is_close = kept.coverage is not None and kept.coverage.until == at(step - 1)
        started = at(step) if is_close else None
        shown = [
            RunningContainer(WEB, IMAGE, digest, started, 0, 1) for digest, steps in seen.items() if step in steps
        ]
        snapshot = Snapshot(at(step), tuple(shown), () if step in whole else ("something",))
        changed = changes_by(kept, snapshot, STEP)
        assert changed is not None
        ended |= set(changed.closed)
        touched = {each.digest for each in (*changed.extended, *changed.closed)}
        opened = [replace(each, is_older=not is_close) for each in changed.opened]
        opened = [replace(each, since=at(step)) for each in opened]
        extended = [replace(each, since=_before(kept, each).since) for each in changed.extended]
        left = [each for each in kept.runs if each.digest not in touched]
        kept = KeptRuns(at(step), changed.coverage, (*opened, *extended, *left))
        looks |= {changed.coverage.since: changed.coverage} if changed.coverage is not None else {}
    assert runs == ended | {replace(each, until=FIRST) for each in kept.runs}
    assert covered == set(looks.values())


def _before(kept: KeptRuns, run: RunInPlace) -> RunInPlace:
    return next(each for each in kept.runs if each.digest == run.digest)
