"""A repository whose pipeline extends a template that is out of reach: the service puts it together, the bot reads
what it pushes, and the image proves a rebuild."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bot.domain.rollouts.rebuild import RebuildState
from sandbox.azure_devops.service import QUEUE, Service
from sandbox.fleets.fleet import ASPNET, RUNTIME_TAG
from sandbox.fleets.pipelines import FLOATING, PINNED, PipelineFleet
from sandbox.world import World
from tests.e2e.beginnings import beginning
from tests.e2e.publishing import move
from tests.e2e.staging import Stage, settled_with_azure

PATH, TEMPLATE = "azure-pipelines.yml", "images/build.yml@shared"
EXTENDING = """\
trigger: none
parameters:
- {name: correlation, type: string, default: ''}
resources: {repositories: [{repository: shared, type: git, name: platform/templates}]}
extends:
  template: images/build.yml@shared
  parameters: {image: IMAGE}
"""
SHARED_TEMPLATE = """\
parameters:
- {name: image, type: string}
steps:
- task: CmdLine@2
  inputs: {script: 'docker buildx build --pull -t ${{ parameters.image }} --push .'}
"""


@dataclass(slots=True)
class ExtendingFleet(PipelineFleet):
    """The floating repository builds by a template that neither it nor any repository of the fleet holds."""

    def __post_init__(self) -> None:
        PipelineFleet.__post_init__(self)
        self.service.templates[TEMPLATE] = SHARED_TEMPLATE

    def extending(self) -> str:
        return self._told(EXTENDING, FLOATING)

    def _floating(self, name: str) -> Mapping[str, str]:
        text = f"FROM {self.registry}/{ASPNET}:{RUNTIME_TAG}\nCOPY . /app\n"
        return {"Dockerfile": text, PATH: self.extending()}


async def _begin(world: World, folder: Path, store_url: str, exits: AsyncExitStack) -> Stage:
    fleet = ExtendingFleet(world)
    policy = [fleet.rule(FLOATING), fleet.rule(PINNED)]
    return await settled_with_azure(world, folder, store_url, exits, fleet, policy=policy)


BEGUN = beginning(_begin)
begun = BEGUN.fixture()


def fleet_of(stage: Stage) -> ExtendingFleet:
    assert isinstance(stage.fleet, ExtendingFleet)
    return stage.fleet


def service_of(stage: Stage) -> Service:
    return fleet_of(stage).service


def previews(service: Service) -> list[str]:
    """What was asked to be put together since the last time."""
    found = [path.rpartition("/pipelines/")[2] for _, path in service.asked if path.endswith("/preview")]
    service.asked.clear()
    return found


async def test_what_it_pushes_is_known_and_its_image_proves_the_rebuild(begun: Stage) -> None:
    service = service_of(begun)
    await move(begun)
    [build] = service.builds.values()
    service.finish(build["id"])
    await begun.run_pass()
    await begun.run_pass()
    rebuild = (await begun.rebuilds())[FLOATING]
    assert rebuild.state is RebuildState.SUCCEEDED, rebuild.reason
    assert begun.world.traffic.violations == []


async def test_it_is_asked_for_once_at_first_sight_and_again_only_where_it_has_changed(begun: Stage) -> None:
    service, github = service_of(begun), begun.world.github
    assert previews(service) == ["12/preview"]
    await begun.run_pass()
    assert previews(service) == []
    await github.push(FLOATING, {"README.md": "changed\n"})
    await begun.run_pass()
    assert previews(service) == []
    await github.push(FLOATING, {PATH: f"{fleet_of(begun).extending()}# changed\n"})
    await begun.run_pass()
    assert previews(service) == ["12/preview"]
    service.definitions[12]["revision"] += 1
    await github.push(FLOATING, {"README.md": "changed again\n"})
    await begun.run_pass()
    assert previews(service) == ["12/preview"]
    assert begun.world.traffic.violations == []


async def test_a_new_revision_of_its_definition_alone_is_seen_in_the_next_look_at_its_builds(
    begun: Stage,
) -> None:
    service = service_of(begun)
    await begun.run_pass()
    service.asked.clear()
    await begun.run_pass()
    asked = len(service.asked)
    service.definitions[12]["revision"] += 1
    service.asked.clear()
    await begun.run_pass()
    assert (len(service.asked), previews(service)) == (asked, [])
    await begun.run_pass()
    assert previews(service) == ["12/preview"]
    await begun.run_pass()
    assert len(service.asked) == asked


async def test_what_was_refused_is_asked_for_on_the_next_day_without_a_push(begun: Stage) -> None:
    service, github = service_of(begun), begun.world.github
    service.asked.clear()
    service.lacking.add(QUEUE)
    await github.push(FLOATING, {PATH: f"{fleet_of(begun).extending()}# changed\n"})
    await begun.run_pass()
    assert previews(service) == ["12/preview"]
    await github.push(FLOATING, {"README.md": "changed\n"})
    await begun.run_pass()
    assert previews(service) == []
    service.lacking.clear()
    await begun.run_pass()
    assert previews(service) == []
    begun.clock.ahead += timedelta(days=1)
    assert (await begun.run_pass())["discover"].problems == []
    assert previews(service) == ["12/preview"]


async def test_a_right_that_is_missing_is_told_once_by_azures_name_and_ends_nothing_else(begun: Stage) -> None:
    service = service_of(begun)
    service.lacking.add(QUEUE)
    await begun.world.github.push(FLOATING, {PATH: f"{fleet_of(begun).extending()}# changed\n"})
    [problem] = (await begun.run_pass())["discover"].problems
    assert "allow Queue builds: Pipelines, the pipeline, ⋮, Manage security" in problem
    assert (await begun.run_pass())["discover"].problems == []
    await move(begun)
    assert (await begun.states())[PINNED] is RebuildState.OPEN


async def test_what_the_service_cannot_put_together_is_told_in_its_words(begun: Stage) -> None:
    service_of(begun).templates.clear()
    await begun.world.github.push(FLOATING, {PATH: f"{fleet_of(begun).extending()}# changed\n"})
    [problem] = (await begun.run_pass())["discover"].problems
    assert f"/{PATH}: File {TEMPLATE} not found" in problem
