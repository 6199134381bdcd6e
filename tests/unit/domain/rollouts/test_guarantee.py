"""How old builds may grow, by the workflow that makes them."""

from datetime import timedelta

import pytest

from bot.domain.bases.change import Cause
from bot.domain.repositories.repository_config import RepositoryConfig
from bot.domain.rollouts.policy import ActionPreference, Match, Policy, PolicyRule
from bot.domain.rollouts.terms import PathWorkflow
from bot.domain.rollouts.timing.age import BaseInFile, Guarantee, guarantees, rebuilding_workflow
from tests.unit.fleet.plan.world import ASPNET, SDK

SHOP = "contoso/shop"
WEEK = timedelta(weeks=1)
PLAIN = RepositoryConfig()
API, WEB = PathWorkflow(("api/*",), "api.yml"), PathWorkflow(("web/*",), "web.yml")
PLACES: tuple[BaseInFile, ...] = ((ASPNET, "Dockerfile"), (SDK, "Dockerfile"))


def on_each(aspnet: timedelta | None, sdk: timedelta | None) -> Policy:
    """A policy that guarantees one age for each of two bases."""
    rules = (
        PolicyRule(Match(bases=(str(ASPNET),)), max_age=aspnet, wave="aspnet"),
        PolicyRule(Match(bases=(str(SDK),)), max_age=sdk, wave="sdk"),
    )
    return Policy(rules)


def guaranteed(policy: Policy, config: RepositoryConfig = PLAIN, *places: BaseInFile) -> dict[str, Guarantee]:
    return dict(guarantees(SHOP, config, places or PLACES, policy))


@pytest.mark.parametrize(
    ("aspnet", "sdk", "wave"),
    [
        (WEEK, 2 * WEEK, "aspnet"),
        (2 * WEEK, WEEK, "sdk"),
        (WEEK, None, "aspnet"),
        (None, WEEK, "sdk"),
        (WEEK, WEEK, "aspnet"),
        (None, None, "aspnet"),
    ],
)
def test_of_several_bases_the_shortest_age_holds_with_the_terms_of_its_rule(
    aspnet: timedelta | None, sdk: timedelta | None, wave: str
) -> None:
    (guarantee,) = guaranteed(on_each(aspnet, sdk)).values()
    assert guarantee.terms.wave == wave
    assert guarantee.max_age == min(filter(None, (aspnet, sdk)), default=None)


def test_only_rules_for_what_grows_old_count() -> None:
    policy = Policy((PolicyRule(Match(causes=(Cause.OS_UPDATE,)), max_age=WEEK),))
    assert guaranteed(policy)["weekly-rebuild.yml"].max_age is None


def test_each_part_of_a_monorepo_has_its_own_workflow_and_so_has_what_no_part_takes() -> None:
    config = RepositoryConfig(workflow="all.yml", workflows=(API, WEB))
    found = guaranteed(
        Policy(), config, (ASPNET, "api/Dockerfile"), (SDK, "api/Dockerfile"), (ASPNET, "web/Dockerfile"), *PLACES
    )
    parts = {workflow: [part.workflow for part in each.parts] for workflow, each in found.items()}
    assert parts == {"api.yml": ["api.yml"], "web.yml": ["web.yml"], "all.yml": ["all.yml"]}
    [rest] = found["all.yml"].parts
    assert [other.workflow for other in rest.others] == ["api.yml", "web.yml"]


def test_a_place_is_rebuilt_by_the_workflow_of_its_part() -> None:
    config = RepositoryConfig(workflow="all.yml", workflows=(API,))
    assert rebuilding_workflow(SHOP, config, (ASPNET, "api/Dockerfile"), Policy()) == "api.yml"
    assert rebuilding_workflow(SHOP, config, (ASPNET, "Dockerfile"), Policy()) == "all.yml"


def test_a_place_is_rebuilt_by_the_workflow_that_the_rules_for_its_age_name() -> None:
    rules = (
        PolicyRule(Match(repositories=("contoso/other",)), workflow="other.yml"),
        PolicyRule(Match(causes=(Cause.OS_UPDATE,)), workflow="os.yml"),
        PolicyRule(Match(causes=(Cause.AGE,)), workflow="age.yml"),
    )
    assert rebuilding_workflow(SHOP, PLAIN, PLACES[0], Policy(rules)) == "age.yml"


NOTIFYING = Policy((PolicyRule(action=ActionPreference.NOTIFY),))


@pytest.mark.parametrize(
    ("config", "policy", "told_only"),
    [
        (PLAIN, Policy(), None),
        (RepositoryConfig(enabled=False), NOTIFYING, "the repository opted out in .github/freshness.yaml"),
        (RepositoryConfig(action=ActionPreference.NOTIFY), NOTIFYING, "the repository asks to be told only"),
        (PLAIN, NOTIFYING, "the policy asks to notify only"),
        (RepositoryConfig(action=ActionPreference.DISPATCH), NOTIFYING, None),
    ],
)
def test_who_wants_nothing_started_is_told(config: RepositoryConfig, policy: Policy, told_only: str | None) -> None:
    assert guaranteed(policy, config)[config.workflow or "weekly-rebuild.yml"].told_only == told_only


def test_what_is_rebuilt_as_a_whole_has_no_parts() -> None:
    assert guaranteed(Policy())["weekly-rebuild.yml"].parts == ()
