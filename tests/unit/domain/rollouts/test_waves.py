from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.rollouts.timing.waves import (
    Hold,
    Wave,
    WaveTally,
    advance,
    latest_start,
    probable_start,
    room,
    waves_in_order,
)

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
CANARY = Wave("canary", soak=4 * HOUR, batch=2)
REST = Wave("rest")
WAVES = (CANARY, REST)


def test_the_first_wave_begins_at_once_within_its_batch() -> None:
    found = advance(WAVES, {"canary": WaveTally(waiting=5), "rest": WaveTally(waiting=9)}, 0.2, NOON)
    assert found.release == {"canary": 2}


def test_a_wave_without_rebuilds_holds_nobody() -> None:
    assert advance(WAVES, {"rest": WaveTally(waiting=9)}, 0.2, NOON).release == {"rest": 9}


def test_what_is_under_way_takes_its_room_in_the_batch() -> None:
    tally = WaveTally(waiting=5, under_way=1, began_at=NOON)
    assert advance(WAVES, {"canary": tally}, 0.2, NOON).release == {"canary": 1}


def test_the_next_wave_waits_for_the_one_before_and_is_told_until_when() -> None:
    canary = WaveTally(under_way=1, ended=1, began_at=NOON)
    found = advance(WAVES, {"canary": canary, "rest": WaveTally(waiting=9)}, 0.2, NOON)
    assert found.release == {}
    assert found.holds["rest"] == Hold("wave canary (1 of 2 rebuilds ended)", NOON + 28 * HOUR)


def test_a_wave_is_not_done_while_as_many_wait_as_are_under_way() -> None:
    canary = WaveTally(waiting=1, under_way=1, began_at=NOON)
    assert advance(WAVES, {"canary": canary, "rest": WaveTally(waiting=9)}, 0.2, NOON).done_waves == {}


def test_a_done_wave_soaks_before_the_next_begins() -> None:
    canary = WaveTally(ended=2, began_at=NOON)
    found = advance(WAVES, {"canary": canary, "rest": WaveTally(waiting=9)}, 0.2, NOON)
    assert found.done_waves == {"canary": NOON}
    assert found.holds["rest"] == Hold("the soak of wave canary", NOON + 4 * HOUR)


@pytest.mark.parametrize(("hours", "released"), [(3.9, {}), (4, {"rest": 9})])
def test_the_next_wave_begins_when_the_one_before_has_soaked(hours: float, released: dict[str, int]) -> None:
    canary = WaveTally(ended=2, began_at=NOON, done_since=NOON)
    found = advance(WAVES, {"canary": canary, "rest": WaveTally(waiting=9)}, 0.2, NOON + hours * HOUR)
    assert found.release == released


def test_pull_requests_that_nobody_merges_hold_a_wave_for_a_day_at_most() -> None:
    canary = WaveTally(under_way=1, unmerged=1, ended=1, began_at=NOON)
    tallies = {"canary": canary, "rest": WaveTally(waiting=9)}
    assert advance(WAVES, tallies, 0.2, NOON + 23 * HOUR).done_waves == {}
    found = advance(WAVES, tallies, 0.2, NOON + 24 * HOUR)
    assert (list(found.done_waves), found.set_aside) == (["canary"], {"canary": 1})


def test_a_share_of_the_wave_may_be_enough() -> None:
    wave = Wave("canary", done_at=0.5)
    found = advance((wave, REST), {"canary": WaveTally(under_way=1, ended=1, began_at=NOON)}, 0.2, NOON)
    assert list(found.done_waves) == ["canary"]


@pytest.mark.parametrize(
    ("ended", "failed", "pauses"), [(1, 1, False), (10, 2, False), (9, 2, True), (2, 2, True), (100, 20, False)]
)
def test_a_rollout_pauses_above_the_share_of_failures_and_from_two_on(
    ended: int, failed: int, pauses: bool
) -> None:
    tally = WaveTally(waiting=9, ended=ended, failed=failed, began_at=NOON)
    found = advance(WAVES, {"canary": tally}, 0.2, NOON)
    assert (found.pause is not None) is pauses
    assert not (pauses and found.release)


def test_a_pause_says_how_many_failed() -> None:
    tally = WaveTally(ended=9, failed=2, began_at=NOON)
    assert advance(WAVES, {"canary": tally}, 0.2, NOON).pause == "2 of 9 ended rebuilds failed, more than 20%"


def test_a_rebuild_waits_no_longer_than_the_soaks_and_one_wait() -> None:
    assert latest_start(WAVES, "canary", NOON) == NOON
    assert latest_start(WAVES, "rest", NOON) == NOON + 4 * HOUR + timedelta(days=1)


tallies = st.builds(
    WaveTally,
    waiting=st.integers(0, 9),
    under_way=st.integers(0, 9),
    ended=st.integers(0, 9),
    began_at=st.sampled_from([None, NOON - 30 * HOUR, NOON]),
    done_since=st.sampled_from([None, NOON - 5 * HOUR, NOON]),
)


@given(st.dictionaries(st.sampled_from(["canary", "early", "rest"]), tallies))
def test_no_wave_begins_while_an_earlier_one_is_not_done(found: dict[str, WaveTally]) -> None:
    waves = (CANARY, Wave("early", soak=HOUR), REST)
    result = advance(waves, found, 1.0, NOON)
    for earlier, later in pairwise(waves):
        tally = found.get(earlier.name, WaveTally())
        is_open = tally.total and tally.done_since is None and earlier.name not in result.done_waves
        assert not (is_open and later.name in result.release)


def test_a_wave_soaks_from_the_end_of_its_last_rebuild_however_late_that_is_seen() -> None:
    canary = WaveTally(ended=2, began_at=NOON, last_end=NOON)
    found = advance(WAVES, {"canary": canary, "rest": WaveTally(waiting=9)}, 0.2, NOON + 3 * HOUR)
    assert found.done_waves == {"canary": NOON}
    assert found.holds["rest"].until == NOON + 4 * HOUR


@pytest.mark.parametrize(
    "canary",
    [
        WaveTally(ended=2, began_at=NOON, done_since=NOON + 365 * 24 * HOUR),
        WaveTally(ended=2, began_at=NOON, last_end=NOON + 365 * 24 * HOUR),
    ],
    ids=["was seen done", "ended"],
)
def test_a_wave_that_was_done_by_a_clock_which_was_ahead_soaks_from_now_on(canary: WaveTally) -> None:
    found = advance(WAVES, {"canary": canary, "rest": WaveTally(waiting=9)}, 0.3, NOON)
    assert found.done_waves == {"canary": NOON}
    assert found.holds["rest"].until == NOON + CANARY.soak


def test_the_soak_of_the_rules_goes_before_that_of_the_wave() -> None:
    canary = WaveTally(ended=2, began_at=NOON, done_since=NOON, soak=HOUR)
    tallies = {"canary": canary, "rest": WaveTally(waiting=9)}
    assert advance(waves_in_order(WAVES, tallies), tallies, 0.2, NOON + HOUR).release == {"rest": 9}


def test_nobody_begins_before_the_soak_of_the_rules_however_long_that_is() -> None:
    tallies = {"canary": WaveTally(ended=2, soak=7 * DAY)}
    assert latest_start(waves_in_order(WAVES, tallies), "rest", NOON) == NOON + 8 * DAY


def test_failures_that_a_person_has_seen_stop_nothing_more() -> None:
    tally = WaveTally(under_way=1, ended=4, failed=3, forgiven=3, began_at=NOON)
    assert advance((REST,), {"rest": tally}, 0.2, NOON).pause is None
    assert advance((REST,), {"rest": replace(tally, forgiven=1)}, 0.2, NOON).pause is not None


@pytest.mark.parametrize("later", [timedelta(0), 30 * DAY])
def test_a_canary_that_was_red_holds_the_next_wave_however_long(later: timedelta) -> None:
    canary = WaveTally(ended=3, failed=1, broken=1, in_vain=1, began_at=NOON, done_since=NOON)
    tallies = {"canary": canary, "rest": WaveTally(waiting=9)}
    found = advance(WAVES, tallies, 0.5, NOON + later)
    assert (found.release, found.holds["rest"].for_person) == ({}, True)
    assert "the build of 1 of 3 rebuilds is red" in found.holds["rest"].reason
    assert "`rollout resume`" in found.holds["rest"].reason
    tried_again = replace(canary, failed=0, broken=0, in_vain=0)
    assert advance(WAVES, tallies | {"canary": tried_again}, 0.5, NOON + DAY).release == {"rest": 9}
    seen = replace(canary, forgiven=1, broken=0, in_vain=0)
    assert advance(WAVES, tallies | {"canary": seen}, 0.5, NOON + DAY).release == {"rest": 9}


def test_a_refusal_is_no_canarys_failure() -> None:
    canary = WaveTally(ended=3, failed=1, in_vain=1, began_at=NOON, done_since=NOON)
    tallies = {"canary": canary, "rest": WaveTally(waiting=9)}
    assert advance(WAVES, tallies, 0.5, NOON + DAY).release == {"rest": 9}


@pytest.mark.parametrize("failed", [0, 1])
def test_a_wave_without_a_success_never_lets_the_next_begin(failed: int) -> None:
    waves = (CANARY, Wave("early"), REST)
    early = WaveTally(ended=1, failed=failed, in_vain=1, began_at=NOON, done_since=NOON)
    tallies = {"canary": WaveTally(ended=1, began_at=NOON, done_since=NOON), "early": early}
    found = advance(waves, tallies | {"rest": WaveTally(waiting=9)}, 0.5, NOON + 30 * DAY)
    assert (found.release, found.holds["rest"].for_person) == ({}, True)


def test_the_last_wave_holds_nobody_whatever_became_of_it() -> None:
    canary = WaveTally(ended=1, failed=1, broken=1, in_vain=1, began_at=NOON)
    assert list(advance(WAVES, {"canary": canary}, 0.5, NOON).done_waves) == ["canary"]


def test_a_wave_that_was_called_off_before_it_began_holds_nobody() -> None:
    tallies = {"canary": WaveTally(ended=2), "rest": WaveTally(waiting=1)}
    assert "canary" in advance(WAVES, tallies, 0.2, NOON).done_waves


def test_waves_that_are_configured_no_more_come_last() -> None:
    assert waves_in_order(WAVES, {"old": WaveTally(), "rest": WaveTally()}) == (*WAVES, Wave("old"))


def test_a_wave_further_on_probably_starts_after_the_soaks_between() -> None:
    waves = (CANARY, Wave("early", soak=HOUR), REST)
    holds = {name: Hold("the soak of wave canary", NOON) for name in ("early", "rest")}
    assert probable_start(waves, "early", holds) == NOON
    assert probable_start(waves, "rest", holds) == NOON + HOUR


def test_of_a_wave_that_is_held_without_an_end_nobody_can_tell_when_it_begins() -> None:
    holds = {"canary": Hold("room in wave canary"), "rest": Hold("room in wave rest")}
    assert probable_start(WAVES, "rest", holds) is None
    assert probable_start(WAVES, "rest", {}) is None


def test_a_wave_that_has_not_begun_is_not_done_by_what_was_called_off_meanwhile() -> None:
    half = replace(CANARY, done_at=0.5)
    tallies = {"canary": WaveTally(waiting=1, ended=1), "rest": WaveTally(waiting=9)}
    found = advance((half, REST), tallies, 0.2, NOON)
    assert (found.done_waves, list(found.release)) == ({}, ["canary"])
    assert found.holds["rest"].until == NOON + 28 * HOUR


def test_a_wave_that_goes_on_without_unmerged_ones_soaks_from_then_on() -> None:
    canary = WaveTally(under_way=1, unmerged=1, ended=1, began_at=NOON, last_end=NOON)
    late = NOON + 30 * HOUR
    found = advance(WAVES, {"canary": canary, "rest": WaveTally(waiting=9)}, 0.2, late)
    assert (found.done_waves, found.holds["rest"].until) == ({"canary": late}, late + 4 * HOUR)


def test_what_is_known_of_a_rollout_that_pauses_is_why() -> None:
    tallies = {"canary": WaveTally(waiting=9, ended=4, failed=3, began_at=NOON), "rest": WaveTally(waiting=1)}
    found = advance(WAVES, tallies, 0.2, NOON)
    assert (found.release, found.done_waves, found.set_aside, found.holds) == ({}, {}, {}, {})


def test_what_holds_where_nothing_is_said_of_a_wave() -> None:
    wave = Wave("all")
    assert (wave.soak, wave.batch, wave.done_at, wave.wait_at_most) == (timedelta(0), None, 1.0, DAY)


def test_a_batch_that_is_more_than_full_has_no_room() -> None:
    assert room(CANARY, WaveTally(waiting=5, under_way=7)) == 0
    assert room(REST, WaveTally(waiting=5, under_way=7)) == 5


def test_a_hold_that_time_ends_is_for_no_person() -> None:
    canary = WaveTally(under_way=1, ended=1, began_at=NOON)
    held = advance(WAVES, {"canary": canary, "rest": WaveTally(waiting=9)}, 0.2, NOON).holds["rest"]
    assert held.for_person is False


@pytest.mark.parametrize(
    ("canary", "why"),
    [
        (WaveTally(ended=3, broken=1, began_at=NOON), "wave canary, in which the build of 1 of 3 rebuilds is red"),
        (WaveTally(ended=1, broken=1, began_at=NOON), "wave canary, in which the build of 1 of 1 rebuild is red"),
        (WaveTally(ended=2, in_vain=2, began_at=NOON), "wave canary, in which nothing was rebuilt"),
    ],
)
def test_what_a_person_has_to_let_go_on_is_told_with_how(canary: WaveTally, why: str) -> None:
    held = advance(WAVES, {"canary": canary, "rest": WaveTally(waiting=9)}, 0.9, NOON).holds["rest"]
    assert held.reason == f"{why}: a retry that succeeds, or `rollout resume`, lets it go on"


@pytest.mark.parametrize("rest", [{"waiting": 1}, {"under_way": 1}], ids=str)
def test_a_wave_in_which_something_may_still_succeed_waits_for_no_person(rest: dict[str, Any]) -> None:
    canary = WaveTally(ended=1, in_vain=1, began_at=NOON, **rest)
    held = advance(WAVES, {"canary": canary, "rest": WaveTally(waiting=9)}, 0.9, NOON).holds["rest"]
    assert held.for_person is False


def test_what_cannot_go_on_at_present_is_waited_for_no_longer_than_what_nobody_merges() -> None:
    canary = WaveTally(waiting=1, ended=1, delayed=1, began_at=NOON)
    tallies = {"canary": canary, "rest": WaveTally(waiting=9)}
    assert advance(WAVES, tallies, 0.2, NOON + DAY - HOUR).done_waves == {}
    found = advance(WAVES, tallies, 0.2, NOON + DAY)
    assert (found.done_waves, found.set_aside) == ({"canary": NOON + DAY}, {})
    through = tallies | {"canary": replace(canary, done_since=NOON + DAY)}
    assert advance(WAVES, through, 0.2, NOON + DAY + 4 * HOUR).release == {"canary": 1, "rest": 9}


@pytest.mark.parametrize("in_vain", [0, 1])
def test_a_wave_of_which_only_that_is_left_lets_nobody_begin_without_a_success(in_vain: int) -> None:
    canary = WaveTally(under_way=2, delayed=2, ended=in_vain, in_vain=in_vain, began_at=NOON)
    found = advance(WAVES, {"canary": canary, "rest": WaveTally(waiting=9)}, 0.5, NOON + 30 * DAY)
    assert (found.release, found.holds["rest"].until, found.holds["rest"].for_person) == ({}, None, True)
    assert "2 rebuilds cannot go on at present" in found.holds["rest"].reason


def test_where_others_of_the_wave_go_on_it_is_only_not_finished() -> None:
    canary = WaveTally(under_way=2, delayed=1, began_at=NOON)
    found = advance(WAVES, {"canary": canary, "rest": WaveTally(waiting=9)}, 0.5, NOON + HOUR)
    assert found.holds["rest"].until is not None


def test_what_holds_the_next_wave_says_how_many_of_it_wait_for_a_person() -> None:
    tallies = {"canary": WaveTally(under_way=3, unmerged=2, ended=1, began_at=NOON), "rest": WaveTally(waiting=1)}
    held = advance(WAVES, tallies, 1, NOON).holds["rest"]
    assert held.reason == "wave canary (1 of 4 rebuilds ended, 2 wait for a person)"
