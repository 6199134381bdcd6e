"""Repositories on GitHub that pipelines of Azure DevOps build: started, followed, and proved by their images."""

from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.rollouts.journal import Word
from bot.domain.rollouts.rebuild import RebuildState
from bot.store.engine.budgets import BudgetStore
from bot.store.orders.orders import OrdersStore
from sandbox.azure_devops.service import QUEUE, Service
from sandbox.fleets.pipelines import FLOATING, PINNED, PipelineFleet
from sandbox.world import World
from tests.e2e.beginnings import beginning
from tests.e2e.publishing import move
from tests.e2e.staging import Stage, settled_with_azure


async def _begin(world: World, folder: Path, store_url: str, exits: AsyncExitStack) -> Stage:
    fleet = PipelineFleet(world)
    policy = [fleet.rule(FLOATING), fleet.rule(PINNED)]
    return await settled_with_azure(world, folder, store_url, exits, fleet, policy=policy)


BEGUN = beginning(_begin)
begun = BEGUN.fixture()


def service_of(stage: Stage) -> Service:
    assert isinstance(stage.fleet, PipelineFleet)
    return stage.fleet.service


async def test_a_floating_base_that_moved_has_its_pipeline_started_and_the_image_proves_it(begun: Stage) -> None:
    service = service_of(begun)
    assert service.builds == {}
    await move(begun)
    [build] = service.builds.values()
    assert (build["definition"]["id"], build["sourceVersion"]) == (12, await begun.world.github.head(FLOATING))
    rebuild = (await begun.rebuilds())[FLOATING]
    assert (rebuild.state, rebuild.run) == (RebuildState.DISPATCHED, build["id"])
    assert build["templateParameters"] == {"correlation": rebuild.correlation}
    service.finish(build["id"])
    await begun.run_pass()
    await begun.run_pass()
    rebuild = (await begun.rebuilds())[FLOATING]
    assert rebuild.state is RebuildState.SUCCEEDED, rebuild.reason
    assert begun.world.github.runs() == []


async def test_a_rebuild_costs_few_requests_of_which_one_writes(begun: Stage) -> None:
    await move(begun)
    asked = [entry for entry in begun.world.traffic.requests(service="azure") if "12" in entry.path]
    started = begun.world.traffic.requests(service="azure")
    assert [entry.method for entry in started].count("POST") == 1
    assert [entry.path.partition("/_apis/")[2] for entry in asked] == [
        "build/definitions/12",
        "pipelines/12/runs",
    ]
    assert len(started) <= 6, [entry.path for entry in started]
    [number] = service_of(begun).builds
    service_of(begun).finish(number)
    await begun.run_pass()
    followed = [entry.query for entry in begun.world.traffic.requests(service="azure", path="/build/builds")]
    assert len([query for query in followed if "buildIds" in query]) == 1


async def test_a_green_build_on_the_old_base_proves_nothing(begun: Stage) -> None:
    begun.fleet.cached.add(FLOATING)
    await move(begun)
    [number] = service_of(begun).builds
    service_of(begun).finish(number)
    await begun.run_pass()
    await begun.run_pass()
    assert (await begun.states())[FLOATING] is not RebuildState.SUCCEEDED


async def test_a_merged_pull_request_is_built_there_and_followed_to_the_proof(begun: Stage) -> None:
    await move(begun)
    [request] = await begun.world.github.pull_requests(PINNED)
    commit = await begun.world.github.merge(PINNED, request["number"])
    await begun.run_pass()
    assert (await begun.states())[PINNED] is RebuildState.BUILDING
    [build] = [each for each in service_of(begun).builds.values() if each["definition"]["id"] == 13]
    assert (build["reason"], build["sourceVersion"]) == ("individualCI", commit)
    service_of(begun).finish(build["id"])
    await begun.run_pass()
    await begun.run_pass()
    rebuild = (await begun.rebuilds())[PINNED]
    assert (rebuild.state, rebuild.built_commit) == (RebuildState.SUCCEEDED, commit), rebuild.reason


async def test_a_red_build_is_told_with_its_task_and_first_error_and_retried_by_another_run(begun: Stage) -> None:
    await move(begun)
    [number] = service_of(begun).builds
    service_of(begun).fail(number, "image", "Docker@2", "no space left on device")
    await begun.run_pass()
    rebuild = (await begun.rebuilds())[FLOATING]
    assert rebuild.state is RebuildState.FAILED
    assert rebuild.reason == "the run concluded with failure; job image, step Docker@2: no space left on device"
    await begun.bot.stores[OrdersStore].retry(f"contoso/{FLOATING}", Word("Ann", "room was made"))
    await begun.run_pass()
    again = (await begun.rebuilds())[FLOATING]
    assert (again.state, again.run) == (RebuildState.DISPATCHED, number + 1)


async def test_a_start_whose_answer_is_lost_is_found_by_what_it_was_handed(begun: Stage) -> None:
    begun.world.faults.add("POST", "/runs", service="azure", drop=True, applied=True)
    await move(begun)
    service = service_of(begun)
    assert (await begun.states())[FLOATING] is not RebuildState.DISPATCHED
    begun.clock.ahead += timedelta(minutes=2)
    service.builds[300] = {**service.builds[101], "id": 300, "templateParameters": {}}
    await begun.run_pass()
    rebuild = (await begun.rebuilds())[FLOATING]
    assert (rebuild.state, rebuild.run) == (RebuildState.DISPATCHED, 101)
    assert list(service.builds) == [101, 300]


async def test_a_run_of_others_that_builds_what_is_wanted_is_joined(begun: Stage) -> None:
    await begun.fleet.publish_runtime("10.0.1")
    service = service_of(begun)
    begun.clock.ahead += timedelta(minutes=1)
    head = await begun.world.github.head(FLOATING)
    queued = (begun.clock.now() + timedelta(minutes=5)).isoformat().replace("+00:00", "Z")
    service.build(
        *(500, 12),
        status="inProgress",
        result=None,
        reason="schedule",
        queueTime=queued,
        sourceVersion=head,
    )
    await begun.run_pass()
    rebuild = (await begun.rebuilds())[FLOATING]
    assert (rebuild.run, rebuild.follows_others, list(service.builds)) == (500, True, [500])


async def test_a_right_that_is_missing_is_told_by_azures_name_and_ends_nothing_else(begun: Stage) -> None:
    service_of(begun).lacking.add(QUEUE)
    await move(begun)
    rebuild = (await begun.rebuilds())[FLOATING]
    assert "needs Queue builds permissions" in rebuild.reason
    assert (await begun.states())[PINNED] is RebuildState.OPEN


async def test_an_organisation_that_asks_for_a_pause_holds_up_its_pipelines_alone(begun: Stage) -> None:
    begun.world.faults.add("POST", "/runs", service="azure", status=429, headers={"retry-after": "600"})
    await move(begun)
    states = await begun.states()
    assert (states[FLOATING], states[PINNED]) == (RebuildState.WAITING, RebuildState.OPEN)
    assert service_of(begun).builds == {}


async def test_a_pause_of_github_holds_up_no_pipeline(begun: Stage) -> None:
    await begun.bot.stores[BudgetStore].stop("", timedelta(hours=1))
    await move(begun)
    states = await begun.states()
    assert (states[FLOATING], states[PINNED]) == (RebuildState.DISPATCHED, RebuildState.PLANNED)


async def test_all_pipelines_of_a_project_are_looked_at_with_two_requests(begun: Stage) -> None:
    await begun.run_pass()
    asked = begun.world.traffic.requests(service="azure")
    assert [entry.path.rpartition("/")[2] for entry in asked] == ["definitions", "builds"]


@pytest.mark.parametrize("status", ["paused", "disabled"])
async def test_a_pipeline_that_starts_nothing_is_told(begun: Stage, status: str) -> None:
    service_of(begun).definitions[12]["queueStatus"] = status
    await move(begun)
    rebuild = (await begun.rebuilds())[FLOATING]
    assert f"it is {status}" in rebuild.reason
    assert service_of(begun).builds == {}


AGE = {"match": {"repositories": [f"contoso/{FLOATING}"]}, "max_age": "2d"}
OF_PIPELINE = {"workflow": "azure-pipelines: contoso/team one/12", "settle": "0s"}
aging = BEGUN.under(policy=[{**AGE, **OF_PIPELINE}]).fixture()


async def test_a_build_that_grows_too_old_is_started_there(
    aging: Stage,
) -> None:
    service = service_of(aging)
    last = (aging.clock.now() - timedelta(days=3)).isoformat().replace("+00:00", "Z")
    service.build(50, 12, queueTime=last, finishTime=last, reason="schedule")
    await aging.run_pass()
    await aging.run_pass()
    aging.clock.ahead += timedelta(hours=6, minutes=5)
    await aging.run_pass()
    [started] = [build for build in service.builds.values() if build["id"] != 50]
    assert (started["definition"]["id"], started["reason"]) == (12, "manual")
    service.finish(started["id"])
    await aging.run_pass()
    await aging.run_pass()
    assert (await aging.states())[FLOATING] is RebuildState.SUCCEEDED
