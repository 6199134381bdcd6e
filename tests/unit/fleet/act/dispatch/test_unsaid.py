"""What is not said of a step to be started is not known, and what holds where the operator says nothing."""

from datetime import timedelta

from bot.domain.host import Hosts
from bot.domain.repositories.repository import Identity
from bot.domain.rollouts.steps import StepJob, StepRun, StepState
from bot.domain.rollouts.terms import Step
from bot.fleet.act.steps.tick import StepOptions, StepStartTally
from tests.unit.fleet.act.world import NOON

SHOP = Identity("contoso/shop")


def test_of_a_step_to_be_started_nothing_else_is_told() -> None:
    step = StepRun(1, 1, 0, Step("canary", "deploy.yml"), SHOP, StepState.DUE, "its turn has come", NOON)
    assert StepJob(step, SHOP) == StepJob(step, SHOP, None, {}, None, ())


def test_what_holds_of_steps_where_the_operator_says_nothing() -> None:
    options = StepOptions()
    assert (options.follow_every, options.visible_after) == (timedelta(minutes=5), timedelta(hours=1))
    assert (options.freezes, options.hosts) == ((), Hosts())
    assert StepStartTally() == StepStartTally(0, ())
