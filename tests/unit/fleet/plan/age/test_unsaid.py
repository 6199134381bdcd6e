"""What is not said of builds that grow old is not known."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.repositories.builds import BranchBuilds
from bot.domain.repositories.repository import FleetRepository
from bot.domain.repositories.repository_config import RepositoryConfig
from bot.domain.rollouts.policy import Terms
from bot.domain.rollouts.rollout import Revisions
from bot.domain.rollouts.timing.age import AgeStanding, Judgement, Weekly
from bot.fleet.plan.age.deciding import LEAD, AgeOptions, Aging, judge_age
from bot.fleet.plan.age.ports import AgePlan, JudgedAge, KnownBuilds
from bot.fleet.plan.age.tick import AgeTally

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
SHOP = FleetRepository(7, "contoso/shop", (), RepositoryConfig())
PLAIN = Aging("contoso/shop", "build.yml", Terms(max_age=timedelta(days=7)), BranchBuilds(), True, True)


def test_of_builds_nothing_has_changed_been_told_or_tried() -> None:
    known = KnownBuilds(1, SHOP, "build.yml", True, BranchBuilds(), (), NOON)
    assert known == replace(known, changed_at=None, told_at=None, attempt=None)
    assert replace(PLAIN, left_alone=None, called_off=None, changed_at=None) == PLAIN
    assert PLAIN.is_scheduled is False


def test_of_a_judgement_nobody_is_told_and_nothing_follows() -> None:
    judged = JudgedAge(Judgement(AgeStanding.DUE, "said"), None)
    assert (judged.is_told, judged.look_again) == (False, False)
    plan = AgePlan({}, NOON, Revisions(1, 1))
    assert plan == replace(plan, rebuilds=(), withdrawn={}, hurried={})
    assert AgeTally() == AgeTally(0, 0)


def test_what_holds_of_ages_where_the_operator_says_nothing() -> None:
    assert AgeOptions() == AgeOptions(Weekly(), ())
    assert timedelta(hours=1) == LEAD


@pytest.mark.parametrize(
    ("state", "why"),
    [
        ("disabled_fork", "GitHub disables schedules and workflows of forks until somebody enables them"),
        ("disabled_manually", "somebody has disabled it"),
        ("disabled_inactivity", "GitHub has disabled it after 60 days without activity in the repository"),
        ("unheard_of", "its state is unheard_of"),
    ],
)
def test_a_workflow_that_is_disabled_is_told_with_why(state: str, why: str) -> None:
    found = judge_age(replace(PLAIN, builds=BranchBuilds(state)), AgeOptions(), NOON)
    assert found.standing is AgeStanding.DISABLED
    assert f"build.yml cannot be started, {why}: enable it on the Actions page" in found.text
