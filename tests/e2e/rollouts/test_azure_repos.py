"""Repositories in Azure Repos that pipelines build: read, started, followed, and proved by their images."""

from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

from bot.domain.rollouts.rebuild import RebuildState
from sandbox.azure_devops.repos import CONTRIBUTE
from sandbox.azure_devops.service import Service
from sandbox.fleets.fleet import ASPNET, RUNTIME_TAG
from sandbox.fleets.pipelines import FLOATING, HOME, PINNED, AzureFleet
from sandbox.world import World
from tests.e2e.beginnings import beginning
from tests.e2e.publishing import move
from tests.e2e.staging import Stage, settled_with_azure


async def _begin(world: World, folder: Path, store_url: str, exits: AsyncExitStack) -> Stage:
    fleet = AzureFleet(world)
    policy = [fleet.rule(FLOATING), fleet.rule(PINNED)]
    return await settled_with_azure(world, folder, store_url, exits, fleet, f"{HOME}/*", policy=policy)


PROJECT = HOME.partition("/")[2]
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


async def test_a_pinned_base_that_moved_has_a_pull_request_that_is_built_once_merged_and_proved(
    begun: Stage,
) -> None:
    service = service_of(begun)
    await move(begun)
    [(number, request)] = service.requests.rows.items()
    assert (request["status"], request["targetRefName"]) == ("active", "refs/heads/main")
    assert begun.fleet.digests[f"{ASPNET}:{RUNTIME_TAG}"] in request["description"]
    assert [label["name"] for label in request["labels"]] == ["freshness"]
    rebuild = (await begun.rebuilds())[f"{PROJECT}/{PINNED}"]
    assert (rebuild.state, rebuild.pull_request) == (RebuildState.OPEN, number)
    commit = service.requests.complete(number)
    await begun.run_pass()
    assert (await begun.states())[f"{PROJECT}/{PINNED}"] is RebuildState.BUILDING
    [build] = [each for each in service.builds.values() if each["sourceVersion"] == commit]
    service.finish(build["id"])
    await begun.run_pass()
    await begun.run_pass()
    rebuild = (await begun.rebuilds())[f"{PROJECT}/{PINNED}"]
    assert (rebuild.state, rebuild.built_commit) == (RebuildState.SUCCEEDED, commit), rebuild.reason
    assert begun.world.traffic.violations == []


async def test_a_pull_request_costs_few_requests_of_which_three_write(begun: Stage) -> None:
    begun.world.traffic.forget()
    await move(begun)
    asked = begun.world.traffic.requests(service="azure")
    home = next(each for each in service_of(begun).repos.homes.values() if each.name == PINNED)
    of_home = [f"{each.method} {each.path.partition(home.id)[2]}" for each in asked if home.id in each.path]
    assert [each for each in of_home if not each.startswith("GET") and "blobs" not in each] == [
        "POST /pushes",
        "POST /pullrequests",
        "POST /pullRequests/41/labels",
    ]
    assert len(of_home) <= 14, of_home


async def test_one_that_a_person_abandons_is_not_opened_again(begun: Stage) -> None:
    await move(begun)
    service = service_of(begun)
    [number] = service.requests.rows
    service.requests.abandon(number)
    await begun.run_pass()
    await begun.run_pass()
    assert list(service.requests.rows) == [number]
    assert (await begun.states())[f"{PROJECT}/{PINNED}"] is RebuildState.CANCELLED


async def test_a_right_that_is_missing_is_told_by_its_name_with_its_place(begun: Stage) -> None:
    service_of(begun).lacking.add(CONTRIBUTE)
    await move(begun)
    rebuild = (await begun.rebuilds())[f"{PROJECT}/{PINNED}"]
    assert "grant Contribute under Project settings, Repositories, the repository, Security" in (
        rebuild.reason or ""
    )


async def test_a_push_whose_answer_is_lost_is_found_and_gone_on_with(begun: Stage) -> None:
    begun.world.faults.add("POST", "/pushes", service="azure", drop=True, applied=True)
    await move(begun)
    service = service_of(begun)
    assert service.requests.rows == {}
    begun.clock.ahead += timedelta(minutes=5)
    await begun.run_pass()
    assert len(service.requests.rows) == 1


async def test_one_that_people_abandon_ends_and_is_followed_again_where_they_reactivate_it(begun: Stage) -> None:
    service, name = service_of(begun), f"{PROJECT}/{PINNED}"
    await move(begun)
    [number] = service.requests.rows
    states = []
    for people in (service.requests.abandon, service.requests.reactivate):
        people(number)
        for _ in range(2):
            begun.clock.ahead += timedelta(hours=1, minutes=5)
            await begun.run_pass()
        states.append((await begun.states())[name])
    assert states == [RebuildState.CANCELLED, RebuildState.OPEN]
    assert list(service.requests.rows) == [number]
