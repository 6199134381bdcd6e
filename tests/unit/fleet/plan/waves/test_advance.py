"""What a rollout does next, as its waves stand."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.rollouts.timing.waiting import RolloutOptions, RolloutStanding
from bot.domain.rollouts.timing.waves import Wave, WaveTally
from bot.fleet.plan.waves.tick import RolloutAdvance, next_step
from tests.unit.fleet.plan.world import HOUR, NOON

WAVES = (Wave("canary", soak=4 * HOUR, batch=2), Wave("rest", batch=10))
DAY = 24 * HOUR
LATE_AFTER = DAY + 4 * HOUR
"""The soak of the canary and the time for which pull requests that nobody merges hold it."""


def standing(**values: object) -> RolloutStanding:
    """Three canaries and twenty others, none of which has begun."""
    tallies = {"canary": WaveTally(waiting=3), "rest": WaveTally(waiting=20)}
    known = RolloutStanding(1, tallies, ready={"canary": 3, "rest": 20})
    return replace(known, **values)  # type: ignore[arg-type]


def step(stands: RolloutStanding, waves: tuple[Wave, ...] = WAVES) -> RolloutAdvance:
    return next_step(stands, RolloutOptions(waves), NOON)


def test_the_first_wave_begins_with_its_batch() -> None:
    assert step(standing()).release == {"canary": 2}


def test_a_wave_of_which_nothing_is_ready_releases_nothing() -> None:
    assert not step(standing(ready={"rest": 20}))


def test_without_waves_all_that_is_ready_begins() -> None:
    assert step(standing(), waves=()).release == {"canary": 3, "rest": 20}


@pytest.mark.parametrize(
    ("waited", "late"),
    [
        pytest.param(LATE_AFTER - timedelta(seconds=1), {}, id="not yet"),
        pytest.param(LATE_AFTER, {"rest": 10}, id="by its batch"),
    ],
)
def test_who_has_waited_for_the_soaks_and_one_wait_waits_for_no_wave(
    waited: timedelta, late: dict[str, int]
) -> None:
    found = step(standing(longest={"canary": NOON - 9 * DAY, "rest": NOON - waited}))
    assert (found.late, found.late_since) == (late, {"rest": NOON - LATE_AFTER})


def test_a_late_one_alone_is_something_to_do() -> None:
    tallies = {"canary": WaveTally(under_way=1, began_at=NOON), "rest": WaveTally(waiting=10, under_way=9)}
    found = step(standing(tallies=tallies, ready={}, longest={"rest": NOON - 9 * DAY}))
    assert (found.late, found.release, found.finished_waves) == ({"rest": 1}, {}, {})
    assert found


def test_nobody_is_late_behind_a_canary_that_was_red() -> None:
    canary = WaveTally(ended=3, failed=1, broken=1, in_vain=1, began_at=NOON - 9 * DAY)
    tallies = {"canary": canary, "rest": WaveTally(waiting=20)}
    found = next_step(
        standing(tallies=tallies, longest={"rest": NOON - 9 * DAY}),
        RolloutOptions(WAVES, pause_when_failed=0.5),
        NOON,
    )
    assert (found.release, found.late) == ({}, {})


def test_nobody_is_late_in_a_wave_that_begins() -> None:
    through = WaveTally(ended=3, began_at=NOON - 9 * DAY, done_since=NOON - 8 * DAY)
    tallies = {"canary": through, "rest": WaveTally(waiting=20)}
    found = step(standing(tallies=tallies, longest={"rest": NOON - 9 * DAY}))
    assert (found.release, found.late) == ({"rest": 10}, {})


def test_no_late_one_begins_where_its_batch_is_under_way() -> None:
    tallies = {"canary": WaveTally(waiting=3), "rest": WaveTally(waiting=10, under_way=10)}
    assert step(standing(tallies=tallies, longest={"rest": NOON - 9 * DAY})).late == {}


def test_too_many_failures_stop_all_of_it() -> None:
    tallies = {"canary": WaveTally(ended=3, failed=2, began_at=NOON), "rest": WaveTally(waiting=20)}
    found = step(standing(tallies=tallies, urgent=1))
    assert found.pause == "2 of 3 ended rebuilds failed, more than 20%"
    assert not found.release
    assert not found.urgent


def test_an_urgent_one_alone_is_something_to_do() -> None:
    tallies = {"canary": WaveTally(under_way=1, began_at=NOON), "rest": WaveTally(waiting=1)}
    assert step(standing(tallies=tallies, ready={}, urgent=1))
    assert not step(standing(tallies=tallies, ready={}))


def test_what_is_decided_is_for_repositories_at_one_distance() -> None:
    assert step(standing(distance=2)).distance == 2


def test_waves_that_are_done_or_gone_on_without_are_told_once() -> None:
    canary = WaveTally(under_way=1, unmerged=1, ended=1, began_at=NOON - DAY)
    found = step(standing(tallies={"canary": canary, "rest": WaveTally(waiting=1)}, ready={}))
    assert (found.finished_waves, found.set_aside) == ({"canary": NOON}, {"canary": 1})
    assert found


def test_nobody_is_late_in_a_wave_that_nothing_holds_but_its_batch() -> None:
    through = WaveTally(ended=3, began_at=NOON - 9 * DAY, done_since=NOON - 8 * DAY)
    tallies = {"canary": through, "rest": WaveTally(waiting=10, under_way=10, began_at=NOON - DAY)}
    found = step(standing(tallies=tallies, ready={}, longest={"rest": NOON - 9 * DAY}))
    assert (found.release, found.late) == ({}, {})


def test_nobody_is_late_behind_a_canary_that_a_fault_holds_up_before_anything_was_rebuilt() -> None:
    canary = WaveTally(waiting=1, delayed=1, began_at=NOON - 9 * DAY)
    tallies = {"canary": canary, "rest": WaveTally(waiting=20)}
    found = step(standing(tallies=tallies, longest={"rest": NOON - 9 * DAY}, ready={}))
    assert (found.release, found.late) == ({}, {})
