"""A monorepo's rebuild touches the workflows that its usages belong to, and no other."""

from dataclasses import replace
from typing import Any

from bot.domain.repositories.repository import FleetRepository, Workflow
from bot.domain.repositories.usage import Usage
from bot.domain.rollouts.policy import Policy, PolicyRule
from bot.domain.rollouts.rebuild import Action, RebuildState
from bot.domain.rollouts.terms import PathWorkflow
from tests.unit.fleet.plan.world import ASPNET, SDK, WEEKLY, member, move, only, planned, rebuild, usage

SHOP = PathWorkflow(("services/shop/*",), "shop.yml", ("*/shop",))
CART = PathWorkflow(("services/cart/*",), "cart.yml")
BESIDES_SHOP = replace(CART, others=(SHOP,))
"""It names no images, and makes none that others name."""
POLICY = Policy((PolicyRule(workflows=(SHOP, CART)),))
WORKFLOWS = (WEEKLY, *(Workflow(f".github/workflows/{name}.yml") for name in ("shop", "cart")))


def monorepo(**config: Any) -> FleetRepository:
    return member(*WORKFLOWS, **config)


def floating(*parts: str) -> list[Usage]:
    return [usage("aspnet:10.0", path=f"services/{part}/Dockerfile") for part in parts]


def test_each_workflow_whose_files_stand_on_the_base_is_dispatched() -> None:
    found = planned(move(), floating("shop", "cart"), monorepo(), policy=POLICY)
    assert [(item.action, item.workflow) for item in found] == [
        (Action.DISPATCH, "cart.yml"),
        (Action.DISPATCH, "shop.yml"),
    ]
    assert [item.parts for item in found] == [(BESIDES_SHOP,), (SHOP,)]


def test_only_what_stands_on_the_base_is_rebuilt() -> None:
    found = only(planned(move(), floating("shop"), monorepo(), policy=POLICY))
    assert (found.workflow, found.parts) == ("shop.yml", (SHOP,))


def test_what_belongs_to_no_part_is_rebuilt_by_the_usual_workflow() -> None:
    found = only(planned(move(), usage("aspnet:10.0", path="tools/Dockerfile"), monorepo(), policy=POLICY))
    rest = PathWorkflow((), "weekly-rebuild.yml", others=(SHOP, CART))
    assert (found.workflow, found.parts) == ("weekly-rebuild.yml", (rest,))


def test_what_belongs_to_no_part_is_awaited_with_the_parts_of_the_same_pull_request() -> None:
    pins = [usage("aspnet:10.0@a", path=path) for path in ("tools/Dockerfile", "services/shop/Dockerfile")]
    found = only(planned(move(), pins, monorepo(), policy=POLICY))
    assert [part.workflow for part in found.parts] == ["weekly-rebuild.yml", "shop.yml"]


def test_what_the_repository_says_itself_of_its_workflows_counts() -> None:
    own = PathWorkflow(("services/*",), "cart.yml")
    found = only(planned(move(), floating("shop", "cart"), monorepo(workflows=(own,)), policy=POLICY))
    assert (found.workflow, found.parts) == ("cart.yml", (own,))
    found = only(planned(move(), floating("shop", "cart"), monorepo(workflow="shop.yml"), policy=POLICY))
    assert (found.workflow, found.parts) == ("shop.yml", ())


def test_one_pull_request_names_the_parts_that_it_touches() -> None:
    pins = [usage("aspnet:10.0@a", path=f"services/{part}/Dockerfile") for part in ("shop", "cart", "shop")]
    found = only(planned(move(), pins, monorepo(), policy=POLICY))
    assert (found.action, found.workflow, found.parts) == (Action.PULL_REQUEST, None, (SHOP, BESIDES_SHOP))


def test_an_open_pull_request_keeps_the_parts_that_it_touched_before() -> None:
    before = rebuild(4, (SDK,), state=RebuildState.OPEN, branch="freshness/dotnet-aspnet-10.0", pull_request=12)
    before = replace(before, parts=(CART,), rollout=3)
    pins = [usage("aspnet:10.0@a", path="services/shop/Dockerfile")]
    found = only(planned(move(), pins, monorepo(), policy=POLICY, earlier=[before], joins=3))
    assert (found.supersedes, found.parts) == ((4,), (SHOP, CART))


def test_a_new_digest_replaces_each_workflows_own_run_and_not_the_others() -> None:
    running = [
        rebuild(
            number,
            (ASPNET,),
            state=RebuildState.RUNNING,
            action=Action.DISPATCH,
            workflow=part.workflow,
            parts=(part,),
        )
        for number, part in ((4, SHOP), (5, CART))
    ]
    found = planned(move(), floating("shop", "cart"), monorepo(), policy=POLICY, earlier=running)
    assert {item.workflow: item.supersedes for item in found} == {"shop.yml": (4,), "cart.yml": (5,)}


def test_a_notice_names_no_parts() -> None:
    fixed = usage("aspnet:10.0@a", path="services/shop/Dockerfile", fixed_because="it is a variable")
    found = only(planned(move(), fixed, monorepo(), policy=POLICY))
    assert (found.action, found.workflow, found.parts) == (Action.NOTIFY, None, ())
