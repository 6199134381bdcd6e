"""From when until when a place has a CVE: the law against a record of who ran what in every minute."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.running.exposure import (
    Asked,
    BuildInside,
    CoveredSource,
    PlaceExposure,
    PlaceHistory,
    PlaceRun,
    PlaceState,
    exposures_of,
)
from bot.domain.running.runs import Coverage, KeptRuns, RunInPlace, changes_by
from bot.domain.running.snapshot import RunningContainer, RunningPlace, Snapshot

NOON = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
WEB = RunningPlace("shop", "Deployment", "web", "web")
IMAGE = "ghcr.io/contoso/shop:1"
AFFECTED = BuildInside("sha256:a", True, ("openssl 3.0",), "")
FREE = BuildInside("sha256:f", False, ("openssl 3.1",), "openssl 3.1 is not affected")
UNKNOWN = BuildInside("sha256:u")
EUROPE = CoveredSource("europe", "production", (Coverage(NOON, NOON + 10 * HOUR),))
LATER = NOON + 10 * HOUR


def ran(build: BuildInside, since: datetime = NOON, until: datetime | None = None) -> PlaceRun:
    return PlaceRun(build, IMAGE, since, is_older=False, seen_at=until or LATER, until=until)


def of(
    *runs: PlaceRun,
    at: datetime = LATER,
    published: datetime | None = NOON - HOUR,
    source: CoveredSource = EUROPE,
) -> PlaceExposure | None:
    found = exposures_of(Asked(at), published, {"europe": source}, [PlaceHistory("europe", WEB, runs)])
    return found[0] if found else None


def state(*runs: PlaceRun, at: datetime = LATER) -> PlaceState | None:
    found = of(*runs, at=at)
    return found.state if found is not None else None


def test_what_is_affected_is_exposed_whatever_else_runs_there() -> None:
    assert state(ran(AFFECTED), ran(FREE), ran(UNKNOWN)) is PlaceState.EXPOSED


def test_what_is_not_known_is_not_free() -> None:
    assert state(ran(FREE), ran(UNKNOWN)) is PlaceState.NOT_READ


def test_builds_that_have_it_one_after_the_other_are_one_time() -> None:
    other = replace(AFFECTED, digest="sha256:b")
    found = of(ran(AFFECTED, NOON, NOON + HOUR), ran(other, NOON + HOUR))
    assert found is not None
    [time] = found.exposed
    assert (time.since, time.until) == (NOON, None)


def test_a_fix_that_is_taken_back_makes_two_times() -> None:
    found = of(
        ran(AFFECTED, NOON, NOON + HOUR), ran(FREE, NOON + HOUR, NOON + 2 * HOUR), ran(AFFECTED, NOON + 2 * HOUR)
    )
    assert found is not None
    assert [(time.since, time.until) for time in found.exposed] == [
        (NOON, NOON + HOUR),
        (NOON + 2 * HOUR, None),
    ]


def test_what_had_ended_before_it_was_published_was_never_exposed() -> None:
    found = of(ran(AFFECTED, NOON, NOON + HOUR), ran(FREE, NOON + HOUR), published=NOON + 2 * HOUR)
    assert found is not None
    assert (found.state, found.exposed) == (PlaceState.NOT_AFFECTED, ())


def test_a_publication_ends_the_doubt_about_a_run_that_may_be_older() -> None:
    older = replace(ran(AFFECTED), is_older=True)
    since = [found.exposed[0].is_older for found in (of(older), of(older, published=NOON + HOUR)) if found]
    assert since == [True, False]


def test_a_place_where_nothing_runs_that_had_it_never_is_no_matter() -> None:
    assert state(ran(FREE, NOON, NOON + HOUR)) is None


def test_a_time_behind_the_last_whole_list_is_known_until_that_is_stale() -> None:
    assert [EUROPE.is_known(LATER + minutes * MINUTE) for minutes in (0, 30, 31)] == [True, True, False]


def test_holes_are_the_times_between_what_is_covered() -> None:
    source = replace(EUROPE, covered=(Coverage(NOON, NOON + HOUR), Coverage(NOON + 3 * HOUR, NOON + 4 * HOUR)))
    assert list(source.holes(NOON - HOUR, NOON + 4 * HOUR + 10 * MINUTE)) == [
        (NOON - HOUR, NOON),
        (NOON + HOUR, NOON + 3 * HOUR),
    ]
    assert list(source.holes(NOON + 2 * HOUR, NOON + 6 * HOUR)) == [
        (NOON + 2 * HOUR, NOON + 3 * HOUR),
        (NOON + 4 * HOUR, NOON + 6 * HOUR),
    ]


_MINUTES = 50
_BUILDS = {each.digest: each for each in (AFFECTED, FREE, UNKNOWN)}
_WORLD = st.lists(st.sets(st.sampled_from(sorted(_BUILDS))), min_size=_MINUTES, max_size=_MINUTES)
_LOOKS = st.dictionaries(st.integers(0, _MINUTES - 1), st.booleans(), max_size=30)


@settings(max_examples=80, deadline=None)
@given(_WORLD, _LOOKS, st.integers(0, _MINUTES - 1))
def test_what_is_said_of_each_whole_list_is_what_ran_then(
    world: list[set[str]], looks: dict[int, bool], published: int
) -> None:
    """By lists at some minutes, of which some are read in part and show nothing: never is a place said to be free,
    or exposed, where it was not; nothing is said of times that no lists cover."""
    stale = 6 * MINUTE
    kept, ended, covered = KeptRuns(), list[RunInPlace](), dict[datetime, Coverage]()
    for minute, is_whole in sorted(looks.items()):
        containers = tuple(
            RunningContainer(WEB, IMAGE, digest, None, 0, 1) for digest in sorted(world[minute]) if is_whole
        )
        snapshot = Snapshot(NOON + minute * MINUTE, containers, () if is_whole else ("shop: 403",))
        changed = changes_by(kept, snapshot, stale)
        assert changed is not None
        ended += changed.closed
        told = {run.digest for run in (*changed.extended, *changed.closed)}
        left = [run for run in kept.runs if run.digest not in told]
        kept = KeptRuns(snapshot.taken_at, changed.coverage, (*changed.extended, *changed.opened, *left))
        if changed.coverage is not None:
            covered[changed.coverage.since] = changed.coverage
    source = CoveredSource("europe", "", tuple(covered.values()), stale)
    runs = tuple(
        PlaceRun(_BUILDS[run.digest], IMAGE, run.since, run.is_older, run.seen_at, run.until)
        for run in (*ended, *kept.runs)
    )
    history, public = PlaceHistory("europe", WEB, runs), NOON + published * MINUTE
    whole = [minute for minute, is_whole in looks.items() if is_whole]
    for minute in range(_MINUTES):
        at = NOON + minute * MINUTE
        found = exposures_of(Asked(at), public, {"europe": source}, [history])
        said = found[0].state if found else None
        if minute in whole:
            assert said is _recorded(world, whole, minute, published), minute
        before = [m for m in whole if m <= minute]
        after = [m for m in whole if m >= minute]
        last = min(after, default=minute)
        is_covered = bool(before) and last - max(before) <= 6
        if not is_covered and before:
            assert said in (PlaceState.NOT_READ, PlaceState.GONE, None)


def _recorded(world: list[set[str]], whole: list[int], minute: int, published: int) -> PlaceState | None:
    """How the place stood by the record of what ran in that minute, and at the lists before it."""
    running = world[minute]
    if AFFECTED.digest in running and published <= minute:
        return PlaceState.EXPOSED
    if UNKNOWN.digest in running:
        return PlaceState.NOT_READ
    if running:
        return PlaceState.NOT_AFFECTED
    had_it = [m for m in whole if m < minute and AFFECTED.digest in world[m]]
    ends = [min(m for m in whole if m > had and AFFECTED.digest not in world[m]) for had in had_it]
    return PlaceState.GONE if any(end > published for end in ends) else None


def test_a_tag_beside_a_digest_in_azure_leaves_it_open_what_runs() -> None:
    app = RunningPlace("shop-rg", "ContainerApp", "web", "web")
    history = PlaceHistory("europe", app, (ran(FREE),), pulls_since=NOON)
    [found] = exposures_of(Asked(LATER), NOON - HOUR, {"europe": EUROPE}, [history])
    assert found.state is PlaceState.NOT_READ
    assert found.why == "its template names a tag; Azure tells no digest, so name the image by digest there"
