"""A step that what runs decides: done with the new build everywhere, stuck with an older one."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.repositories.repository import Identity
from bot.domain.rollouts.arriving import Arrival, ArrivedBuild, after_look
from bot.domain.rollouts.steps import StepRun, StepState
from bot.domain.rollouts.terms import Start, Step

BEGUN = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
BUILT = BEGUN + timedelta(minutes=10)
NOW = BUILT + timedelta(minutes=20)
WEB, API = "shop/web in west", "shop/api in west"
STEP = StepRun(
    *(1, 1, 0, Step("production", start=Start.RUNNING, environment="production"), Identity("contoso/shop")),
    *(StepState.DUE, "its turn has come", BUILT),
    deadline=NOW + timedelta(hours=2),
)
OLD = ArrivedBuild("sha256:1", (WEB,), BEGUN - timedelta(days=3), is_seen=True)
NEW = ArrivedBuild("sha256:2", (WEB,), BUILT, is_shown=True, is_seen=True)
LATER = ArrivedBuild("sha256:3", (API,), BUILT + timedelta(minutes=1), is_seen=True)
NOBODYS = ArrivedBuild("sha256:4", (API,), BUILT + timedelta(minutes=1))


def arrival(*builds: ArrivedBuild, hole: str = "", step: StepRun = STEP) -> Arrival:
    return Arrival(step, ("ghcr.io/contoso/shop",), BEGUN, BUILT, builds, hole)


@pytest.mark.parametrize(
    ("build", "is_new"),
    [
        (NEW, True),
        (LATER, True),
        (OLD, False),
        (NOBODYS, None),
        (replace(OLD, known_since=BEGUN + timedelta(minutes=1)), None),
        (replace(OLD, is_shown=True), False),
        (replace(OLD, is_shown=True, is_current=True), True),
    ],
)
def test_a_build_is_new_by_what_its_image_shows_and_by_when_it_was_first_known(
    build: ArrivedBuild, is_new: bool | None
) -> None:
    assert arrival().is_new(build) is is_new


def test_it_is_done_once_all_places_run_what_is_new() -> None:
    after = after_look(arrival(NEW, LATER), NOW)
    assert (after.state, after.reason) == (
        StepState.SUCCEEDED,
        "2 places in production run it, and nothing older",
    )


def test_it_waits_with_the_places_that_run_something_older_and_until_when() -> None:
    after = after_look(arrival(NEW, OLD), NOW)
    assert (after.state, after.reason) == (
        StepState.RUNNING,
        "an older build than that of 2026-03-10 12:10 UTC still runs at shop/web in west; "
        "it has until 2026-03-10 14:30 UTC",
    )


def test_it_waits_for_what_is_not_known_too() -> None:
    after = after_look(arrival(NEW, NOBODYS), NOW)
    assert after.state is StepState.RUNNING
    assert after.reason.startswith("it is not known whether what runs at shop/api in west is older than that of")


def test_it_is_stuck_once_its_time_is_over() -> None:
    after = after_look(arrival(OLD), NOW + timedelta(hours=2))
    assert after.state is StepState.FAILED
    assert after.reason == (
        "not through within 2 h: an older build than that of 2026-03-10 12:10 UTC still runs at shop/web in west"
    )


def test_while_a_source_has_a_hole_nothing_is_done_and_nothing_is_stuck() -> None:
    for builds in ((NEW,), (OLD,), ()):
        after = after_look(
            arrival(*builds, hole="west was last read as a whole on Monday"), NOW + timedelta(days=9)
        )
        assert after.state is StepState.RUNNING
        assert after.reason.startswith("not all is known of what runs in production: west was last read")


def test_what_runs_nowhere_is_not_waited_for() -> None:
    after = after_look(arrival(), NOW)
    assert (after.state, after.reason) == (StepState.SUCCEEDED, "nothing of it runs in production")


def test_without_a_known_image_or_a_source_nothing_can_be_told() -> None:
    no_image, no_source = replace(arrival(), names=()), replace(arrival(), is_told=False)
    assert after_look(no_image, NOW).state is StepState.FAILED
    after = after_look(no_source, NOW)
    assert (after.state, after.reason) == (
        StepState.FAILED,
        "no source of running.sources tells what runs in production",
    )


def test_a_later_rebuild_takes_its_place() -> None:
    after = after_look(replace(arrival(OLD), overtaken_by=7), NOW)
    assert (after.state, after.reason) == (StepState.SUPERSEDED, "rebuild 7 is newer and built too")
