"""What waves and their rebuilds wait for, and until when."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.domain.feeds.advisory import Severity
from bot.domain.rollouts.rollout import Pause
from bot.domain.rollouts.timing.waiting import RolloutOptions, RolloutStanding, Waiting, Waits, holds_of, wave_holds
from bot.domain.rollouts.timing.waves import Hold, Wave, WaveTally
from bot.domain.rollouts.timing.windows import Freeze

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OPTIONS = RolloutOptions((Wave("canary", soak=4 * HOUR, wait_at_most=DAY), Wave("rest")))


def waiting(wave: str, since: datetime = NOON) -> Waiting:
    return Waiting(1, 1, wave, None, NOON, since, is_released=False)


def test_a_wave_waits_no_longer_than_what_has_waited_longest_in_it() -> None:
    since = NOON - DAY
    tallies = {"canary": WaveTally(under_way=1, began_at=NOON - HOUR), "rest": WaveTally(waiting=1)}
    standing = RolloutStanding(1, tallies, oldest={"rest": since})
    held = Hold("wave canary (0 of 1 rebuild ended)", NOON + 4 * HOUR)
    assert wave_holds(standing, OPTIONS, NOON) == {"rest": held}
    assert holds_of(Waits((waiting("rest", since),), (standing,), ()), OPTIONS, NOON) == {1: held}


def test_a_wave_of_which_nobody_knows_how_long_it_has_waited_waits_as_any() -> None:
    tallies = {"canary": WaveTally(under_way=1, began_at=NOON - HOUR), "rest": WaveTally(waiting=1)}
    held = wave_holds(RolloutStanding(1, tallies), OPTIONS, NOON)
    assert held["rest"].reason == "wave canary (0 of 1 rebuild ended)"


def test_nobody_can_tell_when_a_wave_has_room() -> None:
    options = RolloutOptions((Wave("rest", batch=1),))
    standing = RolloutStanding(1, {"rest": WaveTally(waiting=1, under_way=1)}, oldest={"rest": NOON})
    held = Hold("room in wave rest (1 under way, no more at once)")
    assert wave_holds(standing, options, NOON) == {"rest": held}
    assert holds_of(Waits((waiting("rest"),), (standing,), ()), options, NOON) == {1: held}


def test_a_wave_that_another_holds_says_so_though_it_has_no_room_either() -> None:
    options = RolloutOptions((Wave("canary", soak=4 * HOUR), Wave("rest", batch=1)))
    tallies = {"canary": WaveTally(under_way=1, began_at=NOON), "rest": WaveTally(waiting=1, under_way=1)}
    held = wave_holds(RolloutStanding(1, tallies), options, NOON)
    assert held["rest"].reason == "wave canary (0 of 1 rebuild ended)"


def test_a_severe_fix_waits_for_no_wave_once_it_is_due() -> None:
    tallies = {"canary": WaveTally(under_way=1, began_at=NOON), "rest": WaveTally(waiting=1)}
    standing = RolloutStanding(1, tallies)
    severe = replace(waiting("rest"), severity=Severity.CRITICAL)

    def held(each: Waiting) -> Hold | None:
        return holds_of(Waits((each,), (standing,), ()), OPTIONS, NOON).get(1)

    assert held(severe) is None
    later = held(replace(severe, due_at=NOON + 2 * DAY))
    assert later == Hold("wave canary (0 of 1 rebuild ended)", NOON + 2 * DAY)
    assert held(replace(severe, catches_up=True)) is not None
    assert held(replace(severe, severity=Severity.MODERATE)) is not None


def test_who_is_in_a_wave_that_nothing_holds_waits_for_nothing() -> None:
    standing = RolloutStanding(1, {"canary": WaveTally(waiting=1), "rest": WaveTally(waiting=1)})
    held = holds_of(Waits((waiting("canary"), replace(waiting("rest"), id=2)), (standing,), ()), OPTIONS, NOON)
    assert held.keys() == {2}


def test_a_wave_of_which_nothing_waits_waits_for_nothing() -> None:
    tallies = {"canary": WaveTally(under_way=1, began_at=NOON), "rest": WaveTally(under_way=1, began_at=NOON)}
    assert wave_holds(RolloutStanding(1, tallies), OPTIONS, NOON) == {}


def held_of(each: Waiting, options: RolloutOptions = OPTIONS, *pauses: Pause) -> Hold | None:
    """What one rebuild waits for that its wave would let begin."""
    return holds_of(Waits((each,), (), pauses), options, NOON).get(1)


FREEZE = Freeze(NOON - HOUR, NOON + DAY, "year end", except_severity=Severity.CRITICAL)
FROZEN = replace(OPTIONS, freezes=(FREEZE,))


def test_what_a_freeze_holds_back_waits_for_its_end() -> None:
    assert held_of(waiting("canary"), FROZEN) == Hold("frozen: year end", NOON + DAY)
    assert held_of(replace(waiting("canary"), is_released=True), FROZEN) == Hold("frozen: year end", NOON + DAY)


def test_what_is_severe_enough_or_asked_for_by_a_person_waits_for_no_freeze() -> None:
    assert held_of(replace(waiting("canary"), severity=Severity.CRITICAL), FROZEN) is None
    assert held_of(replace(waiting("canary"), at_request=True), FROZEN) is None


def test_a_freeze_counts_at_the_moment_when_it_would_begin() -> None:
    later = replace(FREEZE, since=NOON + HOUR)
    options = replace(OPTIONS, freezes=(later,))
    assert held_of(waiting("canary"), options) is None
    assert held_of(replace(waiting("canary"), due_at=NOON + HOUR), options) == Hold("frozen: year end", NOON + DAY)
    over = replace(OPTIONS, freezes=(replace(FREEZE, until=NOON),))
    assert held_of(replace(waiting("canary"), due_at=NOON - HOUR), over) is None


def test_what_waits_for_own_bases_says_so_before_any_freeze() -> None:
    for_golden = Hold("golden, 0 of 1 parent ready", NOON + HOUR)
    assert held_of(replace(waiting("canary"), for_parents=for_golden)) == for_golden
    assert held_of(replace(waiting("canary"), for_parents=for_golden), FROZEN) == for_golden


def test_a_pause_goes_before_everything_and_a_persons_word_before_that() -> None:
    for_golden = replace(waiting("canary"), for_parents=Hold("golden"))
    all_paused = Pause(1, None, NOON, "Ann", "looks odd")
    its_own = replace(all_paused, rollout=1)
    other = replace(all_paused, rollout=2)
    assert held_of(for_golden, OPTIONS, other, all_paused) == Hold("everything is paused by Ann: looks odd")
    assert held_of(for_golden, OPTIONS, its_own) == Hold("rollout 1 is paused by Ann: looks odd")
    assert held_of(replace(for_golden, kept_because="not today"), OPTIONS, all_paused) == Hold("not today")


def test_where_no_waves_are_configured_nothing_waits_for_one() -> None:
    tallies = {"canary": WaveTally(under_way=1, began_at=NOON), "rest": WaveTally(waiting=1)}
    standing = RolloutStanding(1, tallies, oldest={"rest": NOON})
    assert holds_of(Waits((waiting("rest"),), (standing,), ()), RolloutOptions(), NOON) == {}
    assert wave_holds(standing, RolloutOptions(), NOON) == {}


def test_a_wave_of_one_distance_from_the_root_holds_none_of_another() -> None:
    tallies = {"canary": WaveTally(under_way=1, began_at=NOON), "rest": WaveTally(waiting=1)}
    standings = (RolloutStanding(1, tallies), RolloutStanding(1, {"rest": WaveTally(waiting=1)}, distance=1))
    near, far = waiting("rest"), replace(waiting("rest"), id=2, distance=1)
    assert holds_of(Waits((near, far), standings, ()), OPTIONS, NOON).keys() == {1}
