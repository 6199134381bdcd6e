"""Which runs a snapshot opens, extends and closes; the law against a record of who ran what in every minute."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.running.runs import Coverage, KeptRuns, RunChanges, RunInPlace, changes_by
from bot.domain.running.snapshot import RunningContainer, RunningPlace, Snapshot

NOON = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
STALE = timedelta(minutes=30)
SHOP = RunningPlace("shop", "Deployment", "web", "web")
OLD, NEW = "sha256:" + "1" * 64, "sha256:" + "2" * 64
IMAGE = "ghcr.io/contoso/shop:1"


def running(digest: str | None = OLD, *, place: RunningPlace = SHOP, restarts: int = 0) -> RunningContainer:
    return RunningContainer(place, IMAGE, digest, NOON - 60 * MINUTE, restarts, 2)


def by(kept: KeptRuns, snapshot: Snapshot) -> RunChanges:
    changed = changes_by(kept, snapshot, STALE)
    assert changed is not None
    return changed


def after(kept: KeptRuns, snapshot: Snapshot) -> KeptRuns:
    changed = by(kept, snapshot)
    open_runs = (*changed.extended, *changed.opened, *_kept(kept, changed))
    return KeptRuns(snapshot.taken_at, changed.coverage, open_runs)


def _kept(kept: KeptRuns, changed: RunChanges) -> tuple[RunInPlace, ...]:
    """The runs that the snapshot says nothing of."""
    told = {(run.place, run.digest) for run in (*changed.extended, *changed.closed)}
    return tuple(run for run in kept.runs if (run.place, run.digest) not in told)


def at(minutes: int, *containers: RunningContainer, not_read: tuple[str, ...] = ()) -> Snapshot:
    return Snapshot(NOON + minutes * MINUTE, containers, not_read)


FIRST = after(KeptRuns(), at(0, running()))


def test_what_is_seen_first_runs_since_its_oldest_pod_started() -> None:
    [run] = FIRST.runs
    assert (run.since, run.is_older, run.seen_at, run.until, run.pods) == (NOON - 60 * MINUTE, False, NOON, None, 2)


def test_what_was_restarted_before_it_was_seen_may_run_for_longer() -> None:
    [run] = by(KeptRuns(), at(0, running(restarts=1))).opened
    assert run.is_older


def test_a_restart_begins_nothing() -> None:
    restarted = replace(running(restarts=3), started_at=NOON + 4 * MINUTE)
    changed = by(FIRST, at(5, restarted))
    [run] = changed.extended
    assert (run.since, run.is_older, run.seen_at) == (NOON - 60 * MINUTE, False, NOON + 5 * MINUTE)
    assert (changed.opened, changed.closed) == ((), ())


def test_a_whole_snapshot_closes_what_it_does_not_show() -> None:
    changed = by(FIRST, at(5, running(NEW)))
    [closed], [opened] = changed.closed, changed.opened
    assert (closed.digest, closed.seen_at, closed.until) == (OLD, NOON, NOON + 5 * MINUTE)
    assert opened.digest == NEW


def test_a_snapshot_in_part_closes_nothing_and_covers_nothing() -> None:
    changed = by(FIRST, at(5, running(NEW), not_read=("namespace billing: 403",)))
    assert changed.closed == ()
    assert changed.coverage == Coverage(NOON, NOON)
    [opened] = changed.opened
    assert opened.is_older, "the pod that started first may not have been listed"


def test_a_place_that_is_rolled_out_runs_several() -> None:
    changed = by(FIRST, at(5, running(), running(NEW)))
    assert ([run.digest for run in changed.extended], [run.digest for run in changed.opened]) == ([OLD], [NEW])


def test_what_is_not_pulled_yet_neither_opens_nor_closes() -> None:
    changed = by(FIRST, at(5, running(None)))
    assert (changed.opened, changed.closed, changed.pulling) == ((), (), {SHOP})


def test_what_the_last_whole_snapshot_did_not_show_has_begun_after_it() -> None:
    [opened] = by(FIRST, at(5, running(), running(NEW))).opened
    assert opened.since == NOON, "its clock says an hour before"


def test_a_snapshot_that_comes_late_changes_nothing() -> None:
    assert changes_by(FIRST, at(0), STALE) is None
    assert changes_by(FIRST, at(-5), STALE) is None


def test_whole_snapshots_that_lie_close_together_cover_the_time_between() -> None:
    assert by(FIRST, at(30)).coverage == Coverage(NOON, NOON + STALE)


def test_a_longer_time_without_one_is_a_hole() -> None:
    assert by(FIRST, at(31)).coverage == Coverage(NOON + 31 * MINUTE, NOON + 31 * MINUTE)


def test_pods_of_one_digest_that_are_told_apart_are_one_run() -> None:
    younger = replace(running(), started_at=NOON, restarts=1)
    [run] = by(KeptRuns(), at(0, younger, running())).opened
    assert (run.since, run.pods, run.is_older) == (NOON - 60 * MINUTE, 4, True)


@dataclass(frozen=True)
class Told:
    """One snapshot of the world in a minute, and which places it leaves out."""

    minute: int
    left_out: frozenset[int]


_MINUTES = 60
_PLACES = tuple(replace(SHOP, workload=f"w{number}") for number in range(3))
_WORLD = st.lists(
    st.lists(st.sets(st.sampled_from((OLD, NEW))), min_size=_MINUTES, max_size=_MINUTES), min_size=3, max_size=3
)
_LOOKS = st.dictionaries(
    st.integers(0, _MINUTES - 1),
    st.frozensets(st.integers(0, 2), max_size=2),
    max_size=25,
)
_RESTARTS = st.sets(st.tuples(st.integers(0, 2), st.sampled_from((OLD, NEW)), st.integers(0, _MINUTES - 1)))


def _started(world: list[list[set[str]]], place: int, digest: str, minute: int) -> int:
    while minute > 0 and digest in world[place][minute - 1]:
        minute -= 1
    return minute


@settings(max_examples=60, deadline=None)
@given(_WORLD, _LOOKS, _RESTARTS)
def test_runs_are_what_ran_by_every_record_of_each_minute(
    world: list[list[set[str]]],
    looks: dict[int, frozenset[int]],
    restarts: set[tuple[int, str, int]],
) -> None:
    stale = timedelta(minutes=10)
    kept, ended, coverages = KeptRuns(), list[RunInPlace](), dict[datetime, Coverage]()
    for minute, left_out in sorted(looks.items()):
        containers = []
        for number, place in enumerate(_PLACES):
            for digest in () if number in left_out else sorted(world[number][minute]):
                began = _started(world, number, digest, minute)
                again = [m for p, d, m in restarts if (p, d) == (number, digest) and began < m <= minute]
                since = NOON + max([began, *again]) * MINUTE
                containers.append(RunningContainer(place, IMAGE, digest, since, len(again), 1))
        snapshot = at(minute, *containers, not_read=tuple(map(str, left_out)))
        changed = changes_by(kept, snapshot, stale)
        assert changed is not None
        ended += changed.closed
        open_runs = (*changed.extended, *changed.opened, *_kept(kept, changed))
        kept = KeptRuns(snapshot.taken_at, changed.coverage, open_runs)
        if changed.coverage is not None:
            coverages[changed.coverage.since] = changed.coverage
    runs = [*ended, *kept.runs]
    whole = [minute for minute, left_out in sorted(looks.items()) if not left_out]
    for number, place in enumerate(_PLACES):
        for digest in (OLD, NEW):
            of_it = [run for run in runs if (run.place, run.digest) == (place, digest)]
            for minute in whole:
                moment = NOON + minute * MINUTE
                ran = digest in world[number][minute]
                seen = [run for run in of_it if run.since <= moment <= run.seen_at]
                assert len(seen) == ran, "each whole snapshot is found again in exactly one run, or in none"
                not_gone = [r for r in of_it if r.since <= moment and (r.until is None or moment < r.until)]
                assert ran or not not_gone
            for run in of_it:
                seen_minute = int((run.seen_at - NOON) / MINUTE)
                begun_at = NOON + _started(world, number, digest, seen_minute) * MINUTE
                last_absent = [m for m in whole if NOON + m * MINUTE <= run.since]
                if not run.is_older:
                    floor = NOON + max(last_absent, default=0) * MINUTE
                    assert run.since <= max(begun_at, floor), "it says no later start than there was"
                assert run.until is None or int((run.until - NOON) / MINUTE) in whole
    for minute in range(_MINUTES):
        moment = NOON + minute * MINUTE
        before = [m for m in whole if m <= minute]
        later = [m for m in whole if m >= minute]
        is_covered = bool(before and later) and (later[0] - before[-1]) * MINUTE <= stale
        assert is_covered == any(each.since <= moment <= each.until for each in coverages.values())


def test_what_azure_names_by_tag_now_ends_what_it_named_by_digest() -> None:
    app = RunningPlace("shop-rg", "ContainerApp", "web", "web")
    known = after(KeptRuns(), at(0, running(place=app)))
    changed = by(known, at(1, running(None, place=app)))
    assert [run.digest for run in changed.closed] == [OLD]
    assert changed.pulling == {app}
