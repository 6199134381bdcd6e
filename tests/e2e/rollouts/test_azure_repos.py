"""Repositories in Azure Repos that pipelines build: read, started, followed, and proved by their images."""

from contextlib import AsyncExitStack
from pathlib import Path

from bot.domain.rollouts.rebuild import RebuildState
from sandbox.azure_devops.service import Service
from sandbox.fleets.pipelines import FLOATING, HOME, PINNED, AzureFleet, azure_devops_in
from sandbox.world import World
from tests.conftest import SHARED
from tests.e2e.beginnings import beginning
from tests.e2e.publishing import move
from tests.e2e.staging import Stage, settled


async def _begin(world: World, folder: Path, store_url: str, exits: AsyncExitStack) -> Stage:
    azure = azure_devops_in(world, folder, f"{HOME}/*")
    fleet = AzureFleet(world)
    policy = [fleet.rule(FLOATING), fleet.rule(PINNED)]
    fleet.service.folder = SHARED / "azure-devops" if SHARED.is_dir() else None
    return await settled(world, folder, store_url, exits, fleet=fleet, policy=policy, azure_devops=azure)


BEGUN = beginning(_begin)
begun = BEGUN.fixture()


def service_of(stage: Stage) -> Service:
    assert isinstance(stage.fleet, AzureFleet)
    return stage.fleet.service


async def test_a_floating_base_that_moved_has_its_pipeline_started_and_the_image_proves_it(begun: Stage) -> None:
    service = service_of(begun)
    assert service.builds == {}
    await move(begun)
    [build] = service.builds.values()
    home = next(each for each in service.repos.homes.values() if each.name == FLOATING)
    assert (build["definition"]["id"], build["sourceVersion"]) == (12, home.git.branches["main"])
    rebuild = (await begun.rebuilds())[f"{PROJECT}/{FLOATING}"]
    assert (rebuild.state, rebuild.run) == (RebuildState.DISPATCHED, build["id"])
    service.finish(build["id"])
    await begun.run_pass()
    await begun.run_pass()
    rebuild = (await begun.rebuilds())[f"{PROJECT}/{FLOATING}"]
    assert rebuild.state is RebuildState.SUCCEEDED, rebuild.reason
    assert begun.world.traffic.violations == []


PROJECT = HOME.partition("/")[2]
