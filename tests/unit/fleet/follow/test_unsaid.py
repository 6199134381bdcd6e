"""What holds of following where the operator says nothing."""

from datetime import timedelta

from bot.domain.host import Hosts
from bot.fleet.follow.runs import GONE_AFTER
from bot.fleet.follow.steps.tick import StepFollowTally
from bot.fleet.follow.tick import FollowOptions, FollowTally


def test_what_holds_of_following_where_the_operator_says_nothing() -> None:
    assert FollowOptions() == FollowOptions(timedelta(minutes=5), Hosts(), timedelta(hours=1))
    assert GONE_AFTER == 12


def test_a_tick_that_does_nothing_counts_nothing() -> None:
    assert (FollowTally(), StepFollowTally()) == (FollowTally(0, 0, ()), StepFollowTally(0, 0, ()))
