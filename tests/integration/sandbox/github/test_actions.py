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


GUARDED = "name: Deploy\non: workflow_dispatch\njobs:\n  go:\n    environment: {name: production}\n"


async def test_a_run_waits_until_somebody_lets_it_into_its_environment(shared_world: World, bot: Github) -> None:
    workflow = await a_workflow(shared_world, bot, "guarded", GUARDED)
    shared_world.github.guard_environment("guarded", "production")
    run = workflow.create_dispatch("main", throw=True, return_run_details=True)
    shared_world.github.actions.begin(run.id)
    path = f"/repos/contoso/guarded/actions/runs/{run.id}"
    shown = await shared_world.github.ask("GET", path)
    assert (shown["status"], shown["conclusion"]) == ("waiting", None)
    [pending] = await shared_world.github.ask("GET", f"{path}/pending_deployments")
    assert pending["environment"]["name"] == "production"
    shared_world.github.actions.approve(run.id)
    assert (await shared_world.github.ask("GET", path))["status"] == "in_progress"
    assert await shared_world.github.ask("GET", f"{path}/pending_deployments") == []


async def test_a_run_runs_again_under_its_number(shared_world: World, bot: Github) -> None:
    workflow = await a_workflow(shared_world, bot, "again")
    run = workflow.create_dispatch("main", {"correlation": "x"}, throw=True, return_run_details=True)
    path = f"/repos/contoso/again/actions/runs/{run.id}"
    with pytest.raises(RuntimeError, match="403"):
        await shared_world.github.ask("POST", f"{path}/rerun")
    shared_world.github.finish_run(run.id, "failure")
    assert await shared_world.github.ask("POST", f"{path}/rerun-failed-jobs") == {}
    now, before = [await shared_world.github.ask("GET", url) for url in (path, f"{path}/attempts/1")]
    assert (now["run_attempt"], now["status"], now["conclusion"]) == (2, "queued", None)
    assert now["previous_attempt_url"].endswith("/attempts/1")
    assert (before["run_attempt"], before["conclusion"]) == (1, "failure")


async def test_a_workflow_that_github_disabled_starts_nothing_until_it_is_enabled(
    shared_world: World, bot: Github
) -> None:
    workflow = await a_workflow(shared_world, bot, "asleep", ON_PUSH)
    shared_world.github.disable_workflow("asleep", FILE, "disabled_inactivity")
    await shared_world.github.push("asleep", {"a": "1"})
    assert shared_world.github.runs("asleep") == []
    workflow.update()
    assert workflow.state == "disabled_inactivity"
    assert workflow.enable()
    await shared_world.github.push("asleep", {"a": "2"})
    assert [run.event for run in shared_world.github.runs("asleep")] == ["push"]


async def test_schedules_leave_a_history(shared_world: World, bot: Github) -> None:
    await a_workflow(shared_world, bot, "weekly")
    for day in (3, 10):
        at = datetime(2025, 11, day, 5, tzinfo=UTC)
        await shared_world.github.record_run("weekly", FILE, "schedule", at, "success")
    path = "/repos/contoso/weekly/actions/workflows/weekly-rebuild.yml/runs?event=schedule&status=success"
    rows = (await shared_world.github.ask("GET", path))["workflow_runs"]
    assert [row["created_at"] for row in rows] == ["2025-11-10T05:00:00Z", "2025-11-03T05:00:00Z"]


async def test_a_message_can_ask_for_no_runs(shared_world: World, bot: Github) -> None:
    await a_workflow(shared_world, bot, "silent", ON_PUSH)
    await shared_world.github.push("silent", {"a": "1"}, "Change [skip ci]")
    assert shared_world.github.runs("silent") == []


async def test_a_push_to_an_open_pull_request_starts_its_checks_again(shared_world: World, bot: Github) -> None:
    repository = await shared_world.github.create_repository("synchronized", {FILE: "on: pull_request\n"})
    await shared_world.github.branch("synchronized", "x")
    first = await shared_world.github.push("synchronized", {"a": "1"}, branch="x")
    bot.get_repo(repository).create_pull(base="main", head="x", title="t", body="")
    second = await shared_world.github.push("synchronized", {"a": "2"}, branch="x")
    assert [run.sha for run in shared_world.github.runs("synchronized")] == [first, second]
