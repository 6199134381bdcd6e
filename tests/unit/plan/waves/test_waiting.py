"""What waves and their rebuilds wait for, and until when."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.domain.feeds.advisory import Severity
from bot.domain.rollouts.timing.waves import Hold, Wave, WaveTally
from bot.plan.waves.advance import RolloutOptions, RolloutStanding
from bot.plan.waves.waiting import Waiting, Waits, holds_of, wave_holds

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


def test_nobody_can_tell_when_a_wave_has_room() -> None:
    options = RolloutOptions((Wave("rest", batch=1),))
    standing = RolloutStanding(1, {"rest": WaveTally(waiting=1, under_way=1)}, oldest={"rest": NOON})
    held = Hold("room in wave rest (1 under way, no more at once)")
    assert wave_holds(standing, options, NOON) == {"rest": held}
    assert holds_of(Waits((waiting("rest"),), (standing,), ()), options, NOON) == {1: held}


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
