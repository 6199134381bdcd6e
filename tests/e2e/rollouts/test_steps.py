"""After a green build a rebuild goes on to its steps, each gating the next, until production."""

from collections.abc import Mapping
from datetime import timedelta

import httpx
import pytest

from bot.domain.rollouts.journal import Word
from bot.domain.rollouts.rebuild import Rebuild, RebuildState
from bot.domain.rollouts.steps import StepState
from bot.store.orders.orders import OrdersStore
from bot.store.views.repositories import RepositoryViewsStore
from bot.store.views.rollouts import RolloutViewsStore
from sandbox.edges.edge import PATIENCE
from sandbox.github.actions.runs import Run
from tests.e2e.publishing import move
from tests.e2e.sample import SETTLED
from tests.e2e.staging import Stage

SHOP = "catalog-web"
"""It is rebuilt by a dispatch of its weekly workflow."""
DEPLOY = """\
name: deploy
on:
  workflow_dispatch:
    inputs:
      correlation: {required: true}
      environment: {required: true}
      image: {required: false}
      digest: {required: false}
jobs:
  deploy: {runs-on: ubuntu-latest, environment: production, steps: [{run: ./deploy}]}
"""
LOAD_TEST = "on: workflow_dispatch\njobs: {}\n"
STEPS = (
    {"name": "pre-production", "workflow": "deploy.yml", "inputs": {"environment": "pre", "colour": "blue"}},
    {"name": "load test", "workflow": "load.yml", "start": "observe", "timeout": "1h"},
    {
        "name": "production",
        "workflow": "deploy.yml",
        "repository": "contoso/rollouts",
        "inputs": {"environment": "prod"},
    },
)


POLICY: tuple[Mapping[str, object], ...] = (
    {"match": {"repositories": [f"contoso/{SHOP}"]}, "settle": "0s", "steps": list(STEPS)},
    {"settle": "0s"},
)


async def add_deployments(stage: Stage) -> None:
    """What the steps start, and the pass that sees it."""
    world = stage.world
    files = {".github/workflows/deploy.yml": DEPLOY, ".github/workflows/load.yml": LOAD_TEST}
    await world.github.push(SHOP, files)
    await world.github.create_repository("rollouts", {".github/workflows/deploy.yml": DEPLOY})
    await stage.run_pass()


def runs(stage: Stage, workflow: str, name: str = SHOP) -> list[Run]:
    return [run for run in stage.world.github.runs(name) if run.workflow.path.endswith(f"/{workflow}")]


async def build(stage: Stage) -> None:
    """A patch comes, and the build on it is green; the bot does not see that yet."""
    await move(stage)
    stage.world.github.finish_run(runs(stage, "weekly-rebuild.yml")[0].id)


WITH_STEPS = SETTLED.under(policy=POLICY).then(add_deployments)
"""The sample fleet, of which one repository goes to production in three steps."""
BUILDING = WITH_STEPS.then(build)
stage = WITH_STEPS.fixture()
building = BUILDING.fixture()
"""A patch has come, the build on it is green, and the bot has not seen that yet."""
built = BUILDING.then(Stage.run_pass).fixture()
"""The same, and the first step was started."""


async def shop(stage: Stage) -> Rebuild:
    return (await stage.rebuilds())[SHOP]


async def states(stage: Stage) -> list[StepState]:
    explained = await stage.bot.stores[RepositoryViewsStore].explain(f"contoso/{SHOP}")
    [some] = explained.steps.values()
    return [step.state for step in some]


async def digest_of_latest(stage: Stage) -> str:
    """What the registry shows of the shop's image."""
    accept = {"accept": "application/vnd.oci.image.index.v1+json"}
    url = f"http://{stage.fleet.registry}/v2/contoso/{SHOP}/manifests/latest"
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
        return (await client.head(url, headers=accept)).headers["docker-content-digest"]


async def load_test_starts(stage: Stage) -> Run:
    """Somebody else starts it."""
    path = f"/repos/contoso/{SHOP}/actions/workflows/load.yml/dispatches"
    await stage.world.github.ask("POST", path, {"ref": "main"})
    [run] = runs(stage, "load.yml")
    return run


async def test_each_step_begins_when_the_one_before_has_succeeded(built: Stage) -> None:
    assert (await shop(built)).state is RebuildState.STEPPING
    [deploy] = runs(built, "deploy.yml")
    assert deploy.inputs.keys() == {"correlation", "environment", "image", "digest"}
    assert deploy.inputs["image"] == f"{built.fleet.registry}/contoso/{SHOP}"
    assert deploy.inputs["digest"] == await digest_of_latest(built)
    assert deploy.inputs["environment"] == "pre"
    assert await states(built) == [StepState.STARTED, StepState.PLANNED, StepState.PLANNED]
    built.world.github.finish_run(deploy.id)
    await built.run_pass()
    assert await states(built) == [StepState.SUCCEEDED, StepState.DUE, StepState.PLANNED]
    assert runs(built, "deploy.yml", "rollouts") == []

    test = await load_test_starts(built)
    await built.run_pass()
    assert (await states(built))[1] is StepState.STARTED
    built.world.github.finish_run(test.id)
    await built.run_pass()
    await built.run_pass()
    [production] = runs(built, "deploy.yml", "rollouts")
    assert production.inputs["environment"] == "prod"
    built.world.github.finish_run(production.id)
    await built.run_pass()

    rebuild = await shop(built)
    assert (rebuild.state, rebuild.reason) == (
        RebuildState.SUCCEEDED,
        "built, and its last step production succeeded",
    )
    assert await states(built) == [StepState.SUCCEEDED] * 3
    assert len(built.world.github.runs(SHOP)) == 3
    assert built.world.traffic.violations == []


async def test_a_run_that_waits_for_an_environment_is_waiting_for_approval_and_told_with_its_link(
    built: Stage,
) -> None:
    built.world.github.guard_environment(SHOP, "production")
    [deploy] = runs(built, "deploy.yml")
    built.world.github.actions.begin(deploy.id)
    await built.run_pass()

    rebuild = await shop(built)
    assert rebuild.state is RebuildState.STEPPING
    assert rebuild.reason == "step pre-production: deploy.yml is waiting for approval"
    assert rebuild.url is not None
    assert rebuild.url.endswith(f"/actions/runs/{deploy.id}")
    [message] = await built.world.slack.messages()
    assert "deploy.yml is waiting for approval" in str(message["blocks"])
    assert rebuild.url in str(message["blocks"])
    built.clock.ahead += timedelta(days=2)
    await built.run_pass()
    assert (await states(built))[0] is StepState.APPROVAL
    built.world.github.actions.approve(deploy.id)
    built.world.github.finish_run(deploy.id)
    await built.run_pass()
    assert (await states(built))[0] is StepState.SUCCEEDED


async def test_a_failed_step_stops_its_repository_there_and_a_retry_goes_on_with_it(built: Stage) -> None:
    [deploy] = runs(built, "deploy.yml")
    built.world.github.finish_run(deploy.id, "failure")
    await built.run_pass()

    rebuild = await shop(built)
    assert rebuild.state is RebuildState.FAILED
    assert rebuild.reason == "built, but step pre-production failed: deploy.yml concluded with failure; job build"
    await built.run_pass()
    assert await states(built) == [StepState.FAILED, StepState.PLANNED, StepState.PLANNED]
    await built.bot.stores[OrdersStore].retry(f"contoso/{SHOP}", Word("Ann", "fixed"))
    await built.run_pass()
    await built.run_pass()
    again = await shop(built)
    assert (again.state, len(runs(built, "weekly-rebuild.yml"))) == (RebuildState.STEPPING, 1)
    assert len(runs(built, "deploy.yml")) == 2


async def test_an_opt_out_is_looked_at_before_each_step(building: Stage) -> None:
    await building.world.github.push(SHOP, {".github/freshness.yaml": "enabled: false\n"})
    await building.run_pass()

    assert runs(building, "deploy.yml") == []
    rebuild = await shop(building)
    assert rebuild.state is RebuildState.CANCELLED
    assert "opted out in .github/freshness.yaml" in rebuild.reason


async def test_a_step_whose_workflow_needs_what_nobody_knows_does_not_start_and_says_so(stage: Stage) -> None:
    needy = DEPLOY.replace("image: {required: false}", "region: {required: true}")
    await stage.world.github.push(SHOP, {".github/workflows/deploy.yml": needy})
    await build(stage)
    await stage.run_pass()

    assert runs(stage, "deploy.yml") == []
    rebuild = await shop(stage)
    assert rebuild.state is RebuildState.FAILED
    assert rebuild.reason.endswith("not started: deploy.yml needs region, which is not known")


async def test_a_paused_rollout_starts_no_step(building: Stage) -> None:
    [rollout] = await building.bot.stores[RolloutViewsStore].rollouts(1)
    word = Word("Ann", "wait")
    await building.bot.stores[OrdersStore].pause(rollout.id, word)
    await building.run_pass()
    assert runs(building, "deploy.yml") == []

    await building.bot.stores[OrdersStore].resume(rollout.id, word)
    await building.run_pass()

    assert len(runs(building, "deploy.yml")) == 1


async def test_what_never_starts_by_itself_fails_in_time(built: Stage) -> None:
    built.world.github.finish_run(runs(built, "deploy.yml")[0].id)
    await built.run_pass()
    await built.run_pass()
    built.clock.ahead += timedelta(hours=1, minutes=5)

    await built.run_pass()

    rebuild = await shop(built)
    assert rebuild.state is RebuildState.FAILED
    assert rebuild.reason.endswith("not through within 1 h: load.yml has not started yet")


async def test_a_step_whose_answer_is_lost_is_found_and_not_started_twice(building: Stage) -> None:
    building.world.faults.add("POST", ".*deploy.yml/dispatches", status=502, applied=True)
    await building.run_pass()
    building.clock.ahead += timedelta(minutes=5)
    await building.run_pass()

    assert len(runs(building, "deploy.yml")) == 1
    assert (await states(building))[0] is StepState.STARTED


@pytest.mark.long
async def test_a_newer_build_takes_over_what_an_older_one_has_not_begun(building: Stage) -> None:
    [rollout] = await building.bot.stores[RolloutViewsStore].rollouts(1)
    await building.bot.stores[OrdersStore].pause(rollout.id, Word("Ann", "wait"))
    building.clock.ahead += timedelta(hours=4)
    await building.fleet.publish_runtime("10.0.2")
    await building.run_pass()
    [_, newer] = runs(building, "weekly-rebuild.yml")
    building.world.github.finish_run(newer.id)
    await building.run_pass()
    await building.run_pass()
    await building.bot.stores[OrdersStore].resume(rollout.id, Word("Ann", "go on"))
    await building.run_pass()

    assert len(runs(building, "deploy.yml")) == 1
    found = [
        (rebuild.id, rebuild.state)
        for each in await building.bot.stores[RolloutViewsStore].rollouts(5)
        for rebuild in each.rebuilds
        if rebuild.repository == f"contoso/{SHOP}"
    ]
    assert [state for _, state in sorted(found)] == [RebuildState.SUPERSEDED, RebuildState.STEPPING]
