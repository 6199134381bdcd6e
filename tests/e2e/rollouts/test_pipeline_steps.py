"""Pipelines as steps of a rebuild: started with what they declare, waited for where people are to approve."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.domain.rollouts.rebuild import Rebuild, RebuildState
from bot.domain.rollouts.steps import StepState
from bot.store.views.repositories import RepositoryViewsStore
from sandbox.azure_devops.service import PROJECT
from sandbox.fleets.pipelines import FLOATING, PipelineFleet
from sandbox.world import World
from tests.e2e.beginnings import beginning
from tests.e2e.publishing import move
from tests.e2e.staging import Stage, settled_with_azure

DEPLOY = 31
DEPLOYMENT = """\
trigger: none
parameters:
- {name: environment, type: string}
- {name: digest, type: string, default: ''}
stages: []
"""


@dataclass(slots=True)
class DeployedFleet(PipelineFleet):
    """The fleet beside a pipeline that builds no image."""

    def _built_there(self, build: dict[str, Any]) -> None:
        if build["definition"]["id"] != DEPLOY:
            PipelineFleet._built_there(self, build)


async def _begin(world: World, folder: Path, store_url: str, exits: AsyncExitStack) -> Stage:
    fleet = DeployedFleet(world)
    pipeline = f"azure-pipelines: contoso/{PROJECT['name']}/{DEPLOY}"
    step = {"name": "production", "workflow": pipeline, "inputs": {"environment": "production"}}
    policy = [{**fleet.rule(FLOATING), "steps": [step]}]
    service = fleet.service
    stage = await settled_with_azure(world, folder, store_url, exits, fleet, policy=policy)
    await world.github.push(FLOATING, {"deploy.yml": DEPLOYMENT})
    service.define(DEPLOY, f"contoso/{FLOATING}", name="deploy", process={"type": 2, "yamlFilename": "deploy.yml"})
    service.builds.clear()
    return stage


async def _build(stage: Stage) -> None:
    await move(stage)
    fleet = stage.fleet
    assert isinstance(fleet, PipelineFleet)
    fleet.service.finish(max(fleet.service.builds))
    await stage.run_pass()
    await stage.run_pass()


BEGUN = beginning(_begin)
built = BEGUN.then(_build).fixture()
"""A patch has come, its build is green and proved, and the step was begun."""


def deploys(stage: Stage) -> list[Mapping[str, Any]]:
    assert isinstance(stage.fleet, PipelineFleet)
    return [build for build in stage.fleet.service.builds.values() if build["definition"]["id"] == DEPLOY]


async def rebuilt(stage: Stage) -> Rebuild:
    return (await stage.rebuilds())[FLOATING]


async def step_state(stage: Stage) -> StepState:
    explained = await stage.bot.stores[RepositoryViewsStore].explain(f"contoso/{FLOATING}")
    [[step]] = explained.steps.values()
    return step.state


async def test_a_step_starts_its_pipeline_with_what_that_declares(built: Stage) -> None:
    assert (await rebuilt(built)).state is RebuildState.STEPPING, (await rebuilt(built)).reason
    [deploy] = deploys(built)
    handed = deploy["templateParameters"]
    assert handed.keys() == {"environment", "digest"}
    assert handed["environment"] == "production"
    assert handed["digest"].startswith("sha256:")


async def test_a_stage_that_people_are_to_approve_is_waited_for_and_told(built: Stage) -> None:
    assert isinstance(built.fleet, PipelineFleet)
    service, [deploy] = built.fleet.service, deploys(built)
    service.hold(deploy["id"], "production", "Ada Lovelace")
    await built.run_pass()
    rebuild = await rebuilt(built)
    assert await step_state(built) is StepState.APPROVAL
    assert rebuild.reason.endswith("is waiting for approval of stage production by Ada Lovelace")
    [message] = await built.world.slack.messages()
    assert "waiting for approval of stage production by Ada Lovelace" in str(message["blocks"])
    built.clock.ahead += timedelta(days=2)
    await built.run_pass()
    assert await step_state(built) is StepState.APPROVAL
    service.approve(deploy["id"])
    await built.run_pass()
    assert await step_state(built) is StepState.RUNNING
    service.finish(deploy["id"])
    await built.run_pass()
    assert (await rebuilt(built)).state is RebuildState.SUCCEEDED
    sent = built.world.traffic.requests(service="azure")
    assert not [entry for entry in sent if "approvals" in entry.path and entry.method != "GET"]


async def test_a_step_whose_pipeline_fails_is_told_with_its_task_and_first_error(built: Stage) -> None:
    assert isinstance(built.fleet, PipelineFleet)
    service = built.fleet.service
    [deploy] = deploys(built)
    service.fail(deploy["id"], "deploy", "AzureCLI@2", "no such slot")
    await built.run_pass()
    rebuild = await rebuilt(built)
    assert rebuild.state is RebuildState.FAILED
    assert rebuild.reason.endswith("job deploy, step AzureCLI@2: no such slot")
