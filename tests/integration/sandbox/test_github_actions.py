from datetime import UTC, datetime, timedelta

import pytest
from github import Github
from github.GithubException import GithubException
from github.Workflow import Workflow

from bot.domain.clock import ManualClock
from sandbox.world import World

REBUILD = """\
name: Weekly rebuild
on:
  workflow_dispatch:
    inputs:
      correlation: {required: true}
      reason: {default: weekly}
"""
ON_PUSH = "name: Build\non: {push: {branches: [main]}}\n"
FILE = ".github/workflows/weekly-rebuild.yml"


async def a_workflow(world: World, bot: Github, name: str, text: str = REBUILD) -> Workflow:
    full_name = await world.github.create_repository(name, {FILE: text})
    return bot.get_repo(full_name).get_workflow("weekly-rebuild.yml")


async def test_workflows_are_the_files_of_the_default_branch(shared_world: World, bot: Github) -> None:
    files = {FILE: REBUILD, ".github/workflows/ci.yaml": ON_PUSH, ".github/workflows/README.md": "#"}
    repository = bot.get_repo(await shared_world.github.create_repository("workflows", files))
    listed = {workflow.path: (workflow.name, workflow.state) for workflow in repository.get_workflows()}
    assert listed == {FILE: ("Weekly rebuild", "active"), ".github/workflows/ci.yaml": ("Build", "active")}


async def test_a_dispatch_answers_with_its_run(shared_world: World, bot: Github) -> None:
    workflow = await a_workflow(shared_world, bot, "dispatched")
    run = workflow.create_dispatch("main", {"correlation": "r-1"}, throw=True, return_run_details=True)
    assert run.update() or run.status == "queued"
    assert (run.event, run.head_branch, run.conclusion) == ("workflow_dispatch", "main", None)
    [started] = shared_world.github.runs("dispatched")
    assert (started.id, started.inputs) == (run.id, {"correlation": "r-1"})


async def test_a_dispatch_without_details_is_a_204(shared_world: World, bot: Github) -> None:
    workflow = await a_workflow(shared_world, bot, "no-details")
    assert workflow.create_dispatch("main", {"correlation": "r-1"}, throw=True) is True
    assert [entry.status for entry in shared_world.traffic.requests(method="POST", path="/dispatches$")] == [204]


async def test_a_run_ends_when_it_is_told_to(shared_world: World, bot: Github) -> None:
    workflow = await a_workflow(shared_world, bot, "finished")
    run = workflow.create_dispatch("main", {"correlation": "r-1"}, throw=True, return_run_details=True)
    shared_world.github.actions.begin(run.id)
    run.update()
    assert (run.status, run.conclusion) == ("in_progress", None)
    shared_world.github.finish_run(run.id, "failure")
    run.update()
    assert (run.status, run.conclusion) == ("completed", "failure")


async def test_runs_can_end_by_themselves(world: World) -> None:
    world.github.complete_runs_after(2)
    ended = []
    world.github.actions.on_finished = lambda run: ended.append(run.id)
    await world.github.create_repository("alone", {FILE: REBUILD})
    path = "/repos/contoso/alone/actions"
    dispatch = {"ref": "main", "inputs": {"correlation": "r-1"}, "return_run_details": True}
    run = await world.github.ask("POST", f"{path}/workflows/weekly-rebuild.yml/dispatches", dispatch)
    looks = [await world.github.ask("GET", f"{path}/runs/{run['workflow_run_id']}") for _ in range(3)]
    assert [look["status"] for look in looks] == ["queued", "in_progress", "completed"]
    assert ended == [run["workflow_run_id"]]


async def test_runs_are_found_by_event_branch_and_time() -> None:
    clock = ManualClock(datetime(2025, 11, 11, 18, tzinfo=UTC))
    async with World(clock=clock, validate=True) as world:
        await world.github.create_repository("found", {FILE: REBUILD})
        path = "/repos/contoso/found/actions/workflows/weekly-rebuild.yml"
        for _ in range(3):
            await world.github.ask("POST", f"{path}/dispatches", {"ref": "main", "inputs": {"correlation": "x"}})
            clock.advance(timedelta(hours=1))
        queries = {
            "event=workflow_dispatch&branch=main": 3,
            "event=push": 0,
            "branch=other": 0,
            "created=%3E%3D2025-11-11T19:00:00Z": 2,
            "created=2025-11-11T18:30:00Z..2025-11-11T19:30:00Z": 1,
            "created=2025-11-11": 3,
            "status=completed": 0,
        }
        found = {query: (await world.github.ask("GET", f"{path}/runs?{query}"))["total_count"] for query in queries}
    assert found == queries


async def test_a_push_starts_what_runs_on_pushes(shared_world: World, bot: Github) -> None:
    await shared_world.github.create_repository("on-push", {FILE: ON_PUSH})
    sha = await shared_world.github.push("on-push", {"Dockerfile": "FROM x\n"})
    assert [(run.event, run.sha) for run in shared_world.github.runs("on-push")] == [("push", sha)]


@pytest.mark.parametrize(
    ("ref", "inputs", "message"),
    [
        ("gone", {"correlation": "x"}, "No ref found for: gone"),
        ("main", {"correlation": "x", "typo": "y"}, 'Unexpected inputs provided: ["typo"]'),
        ("main", {}, "Required input 'correlation' not provided"),
    ],
)
async def test_a_dispatch_that_makes_no_sense_is_a_422(
    shared_world: World, bot: Github, ref: str, inputs: dict[str, str], message: str
) -> None:
    workflow = await a_workflow(shared_world, bot, f"refused-{ref}-{len(inputs)}")
    with pytest.raises(GithubException) as refused:
        workflow.create_dispatch(ref, inputs, throw=True)
    assert (refused.value.status, refused.value.data["message"]) == (422, message)


async def test_a_workflow_that_takes_no_dispatch_or_is_disabled_says_so(shared_world: World, bot: Github) -> None:
    only_push = await a_workflow(shared_world, bot, "only-push", ON_PUSH)
    with pytest.raises(GithubException, match="does not have 'workflow_dispatch' trigger"):
        only_push.create_dispatch("main", throw=True)
    disabled = await a_workflow(shared_world, bot, "disabled")
    assert disabled.disable()
    assert disabled.update() or disabled.state == "disabled_manually"
    with pytest.raises(GithubException, match="disabled workflow"):
        disabled.create_dispatch("main", {"correlation": "x"}, throw=True)
