"""What is not said of waves and of what waits in them is not known."""

from dataclasses import replace
from datetime import UTC, datetime

from bot.domain.feeds.advisory import SEVERE
from bot.domain.rollouts.timing.pace import Pace, WriteLimits
from bot.domain.rollouts.timing.waiting import ReleaseRules, RolloutOptions, RolloutStanding, Waiting
from bot.fleet.plan.waves.tick import AdvanceTally, RolloutAdvance

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


def test_of_what_waits_nobody_has_asked_for_it_or_kept_it_and_it_opens_a_request() -> None:
    plain = Waiting(1, 1, "rest", None, NOON, NOON, is_released=False)
    assert (plain.at_request, plain.opens, plain.catches_up) == (False, True, False)
    assert plain == replace(plain, kept_because=None, repository="", distance=0, for_parents=None)


def test_of_a_rollout_nothing_is_ready_urgent_or_late() -> None:
    standing, step = RolloutStanding(1, {}), RolloutAdvance(1)
    assert standing == replace(standing, ready={}, longest={}, urgent=0, distance=0, oldest={})
    assert step == replace(step, release={}, late={}, late_since={}, finished_waves={}, set_aside={}, distance=0)
    assert (step.urgent, step.pause) == (False, None)


def test_what_holds_of_rollouts_where_the_operator_says_nothing() -> None:
    assert RolloutOptions() == RolloutOptions((), 0.2, ())
    assert ReleaseRules(NOON) == ReleaseRules(NOON, frozenset(), SEVERE)
    assert (Pace().options, Pace().limits, Pace().by_owner) == (RolloutOptions(), WriteLimits(), True)
    assert AdvanceTally() == AdvanceTally(0, 0, ())
