"""What is not said of plans is not known, and ticks that do nothing count nothing."""

from bot.domain.rollouts.policy import Terms
from bot.domain.rollouts.quarantine import BuildEnd
from bot.fleet.plan.due import Beginning
from bot.fleet.plan.first_run.tick import FirstRunTally
from bot.fleet.plan.needs import Need
from bot.fleet.plan.quarantine.tick import KnownEnd, QuarantineTally
from bot.fleet.plan.tick import PlanTally
from tests.unit.fleet.plan.world import ASPNET, NOON, member, move, only, planned, usage


def test_a_tick_that_does_nothing_counts_nothing() -> None:
    assert PlanTally() == PlanTally(0, 0)
    assert FirstRunTally() == FirstRunTally(0, 0)
    assert QuarantineTally() == QuarantineTally(0, 0, 0, 0)


def test_nothing_puts_a_beginning_off_and_no_end_was_severe() -> None:
    assert Beginning(NOON) == Beginning(NOON, "")
    ended = BuildEnd("contoso/shop", ASPNET, "sha256:a", True, NOON)
    assert KnownEnd(1, ended).is_severe is False


def test_a_need_is_neither_stuck_nor_back() -> None:
    need = Need(move(), usage("aspnet:10.0"), Terms(), None, True, "it floats")
    assert (need.is_stuck, need.is_back) == (False, False)


def test_a_base_that_is_implied_is_told_as_that() -> None:
    found = only(planned(move(), usage("aspnet:10.0@a", span=None), member()))
    assert found.reason.endswith("must be edited by hand: the base is implied, not written")
