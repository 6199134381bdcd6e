"""What every builder must do, whichever it is, and whatever forge holds what it builds."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.builder.actions import ActionCommit, ActionTag
from bot.domain.builder.runs import FailedJob, MergedCommit
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.refusals import RepositoryArchived, RepositoryMoved
from bot.domain.repositories.surroundings import EnvironmentProtection
from tests.integration.forges.changes import NEW, NEWER, OLD, PATH, bring
from tests.integration.forges.conftest import GITHUBS
from tests.integration.forges.stands import Building

MONDAY = datetime(2026, 11, 2, 2, 5, tzinfo=UTC)
WORKFLOW = b"on:\n  workflow_dispatch:\n    inputs:\n      correlation:\n        type: string\njobs: {}\n"
BUILD = b"on: {push: {branches: [main]}}\njobs: {}\n"

AT_THE_FORGE = pytest.mark.parametrize("where_it_is_built", GITHUBS, indirect=True)
"""What is said of a builder that is the repository's forge as well."""

# Starting


@AT_THE_FORGE
async def test_starting_something_under_an_old_name_is_told(building: Building) -> None:
    repository = await building.home.repository({".github/workflows/go.yml": WORKFLOW})
    await building.home.rename(repository)
    with pytest.raises(RepositoryMoved):
        await building.builder.dispatch(repository, "go.yml", ref="main", inputs={})


@AT_THE_FORGE
async def test_nothing_of_an_archived_repository_is_built(building: Building) -> None:
    repository = await building.home.repository({".github/workflows/go.yml": WORKFLOW})
    await building.home.archive(repository)
    with pytest.raises(RepositoryArchived):
        await building.builder.dispatch(repository, "go.yml", ref="main", inputs={})


async def test_a_dispatched_run_is_found_and_followed(building: Building) -> None:
    repository = await building.home.repository({".github/workflows/go.yml": WORKFLOW})
    workflow = await building.define(repository, "go.yml")
    built = repository.for_builds(workflow)
    since = datetime.now(UTC) - timedelta(seconds=5)
    number = await building.builder.dispatch(built, workflow, ref="main", inputs={"correlation": "c-1"})
    (found,) = await building.builder.dispatched_runs(built, workflow, branch="main", since=since)
    assert number == found.id
    run = await building.builder.run(built, found.id)
    assert run.node_id is not None
    await building.finish_run(repository, run.id, "failure")
    followed = await (await building.builder.serving(built)).follow_runs([run.node_id])
    if run.node_id in followed.unseen:
        shown = (await building.builder.run(built, run.id)).state
    else:
        shown = followed.states[run.node_id]
    assert (shown.status, shown.conclusion) == ("completed", "failure")


async def test_a_run_tells_what_it_builds_and_what_has_started_it(building: Building) -> None:
    repository = await building.home.repository({".github/workflows/go.yml": WORKFLOW})
    workflow = await building.define(repository, "go.yml")
    built = repository.for_builds(workflow)
    since = datetime.now(UTC) - timedelta(seconds=5)
    await building.builder.dispatch(built, workflow, ref="main", inputs={})
    head = (await building.home.forge.standings([repository]))[repository].head
    (run,) = await building.builder.started_runs(built, workflow, branch="main", since=since)
    assert (run.commit, run.event) == (head, "workflow_dispatch")
    assert head == (await building.home.branches(repository))["main"]
    assert await building.builder.started_runs(built, workflow, branch="other", since=since) == []


async def test_only_runs_of_the_workflow_that_is_asked_for_are_told(building: Building) -> None:
    files = {".github/workflows/go.yml": WORKFLOW, ".github/workflows/load.yml": WORKFLOW}
    repository = await building.home.repository(files)
    workflow, other = [await building.define(repository, file) for file in ("go.yml", "load.yml")]
    built = repository.for_builds(workflow)
    since = datetime.now(UTC) - timedelta(seconds=5)
    await building.builder.dispatch(built, workflow, ref="main", inputs={})
    assert await building.builder.started_runs(built, other, branch=None, since=since) == []
    assert await building.builder.dispatched_runs(built, other, branch="main", since=since) == []


@AT_THE_FORGE
async def test_what_a_run_leaves_behind_is_listed_the_newest_first_and_fetched_at_an_address_of_its_own(
    building: Building,
) -> None:
    repository = await building.home.repository({".github/workflows/go.yml": WORKFLOW})
    run = await building.builder.dispatch(repository, "go.yml", ref="main", inputs={"correlation": "c-1"})
    assert run is not None
    await building.leave_artifact(repository, run, "old", has_expired=True)
    await building.leave_artifact(repository, run, "trivy", has_expired=False)
    trivy, old = await building.builder.artifacts(repository, run)
    assert (trivy.name, trivy.is_expired, old.name, old.is_expired) == ("trivy", False, "old", True)
    assert trivy.size > 0
    assert (await building.builder.artifact_address(repository, trivy.id)).startswith("http")
    with pytest.raises(Failure) as failed:
        await building.builder.artifact_address(repository, old.id)
    assert (failed.value.trouble, failed.value.status) == (Trouble.MISSING, 410)
    with pytest.raises(Failure) as failed:
        await building.builder.artifacts(repository, 1)
    assert failed.value.trouble is Trouble.MISSING


async def test_a_branch_that_is_not_there_cannot_be_dispatched(building: Building) -> None:
    repository = await building.home.repository({".github/workflows/go.yml": WORKFLOW})
    workflow = await building.define(repository, "go.yml")
    built = repository.for_builds(workflow)
    with pytest.raises(Failure) as failed:
        await building.builder.dispatch(built, workflow, ref="gone", inputs={})
    assert failed.value.trouble is Trouble.CONFLICT


async def test_only_runs_since_a_moment_are_told(building: Building) -> None:
    repository = await building.home.repository({".github/workflows/go.yml": WORKFLOW})
    workflow = await building.define(repository, "go.yml")
    built = repository.for_builds(workflow)
    await building.builder.dispatch(built, workflow, ref="main", inputs={})
    since = datetime.now(UTC) + timedelta(minutes=1)
    assert await building.builder.started_runs(built, workflow, branch="main", since=since) == []


async def test_a_workflow_that_is_disabled_is_not_started(building: Building) -> None:
    repository = await building.home.repository({".github/workflows/go.yml": WORKFLOW})
    workflow = await building.define(repository, "go.yml")
    built = repository.for_builds(workflow)
    await building.disable(repository, "go.yml")
    with pytest.raises(Failure) as failed:
        await building.builder.dispatch(built, workflow, ref="main", inputs={})
    assert failed.value.trouble is Trouble.CONFLICT
    assert await building.builder.started_runs(built, workflow, branch=None, since=MONDAY) == []


async def test_nothing_is_started_that_builds_another_repository(building: Building) -> None:
    other = await building.home.repository({".github/workflows/go.yml": WORKFLOW})
    workflow = await building.define(other, "go.yml")
    repository = await building.home.repository({PATH: OLD})
    with pytest.raises(Failure) as failed:
        await building.builder.dispatch(repository.for_builds(workflow), workflow, ref="main", inputs={})
    assert failed.value.trouble in (Trouble.MISSING, Trouble.CONFLICT)
    built = other.for_builds(workflow)
    assert await building.builder.started_runs(built, workflow, branch=None, since=MONDAY) == []


async def test_one_run_that_is_not_there_hides_no_other(building: Building) -> None:
    repository = await building.home.repository({".github/workflows/go.yml": WORKFLOW})
    workflow = await building.define(repository, "go.yml")
    built = repository.for_builds(workflow)
    number = await building.builder.dispatch(built, workflow, ref="main", inputs={})
    node = (await building.builder.run(built, number or 0)).node_id or ""
    followed = await (await building.builder.serving(built)).follow_runs([building.gone_run, node])
    assert node in followed.states.keys() | followed.unseen.keys()
    assert building.gone_run not in followed.states
    with pytest.raises(Failure) as failed:
        await building.builder.run(built, 999_999)
    assert failed.value.trouble is Trouble.MISSING


async def test_a_red_run_tells_the_job_that_failed(building: Building) -> None:
    repository = await building.home.repository({".github/workflows/go.yml": WORKFLOW})
    workflow = await building.define(repository, "go.yml")
    built = repository.for_builds(workflow)
    number = await building.builder.dispatch(built, workflow, ref="main", inputs={})
    assert number is not None
    await building.fail_run(repository, number, FailedJob("image", "Build", "exit code 1"))
    assert (await building.builder.run(built, number)).conclusion == "failure"
    failed = await building.builder.first_failure(built, number)
    assert failed is not None
    assert (failed.job, failed.step) == ("image", "Build")


async def test_whoever_sees_no_builds_calls_none_gone(building: Building) -> None:
    repository = await building.home.repository({".github/workflows/go.yml": WORKFLOW})
    workflow = await building.define(repository, "go.yml")
    await building.show_nothing(repository)
    assert not await building.builder.sees_others(repository.for_builds(workflow))


async def test_the_build_of_a_merge_is_found_and_that_of_what_was_pushed_later(building: Building) -> None:
    repository = await building.home.repository({PATH: OLD, ".github/workflows/build.yml": BUILD})
    workflow = await building.define(repository, "build.yml")
    request = await bring(building.home, repository)
    assert request.node_id is not None
    await building.home.merge(repository, request.number)
    shown = (await building.home.forge.follow_requests([request.node_id])).states[request.node_id]
    assert shown.merge_node is not None
    assert shown.merge_commit == (await building.home.branches(repository))["main"]
    commit = MergedCommit(shown.merge_node, shown.merge_commit, shown.merged_at or datetime.now(UTC), workflow)
    await building.finish_build(repository, "failure")
    builds = (await (await building.builder.serving(repository.for_builds(workflow))).builds([commit]))[
        shown.merge_node
    ]
    assert not isinstance(builds, Failure)
    [[build]] = builds
    assert (build.file, build.event, build.status, build.conclusion) == (
        *(workflow, "push"),
        *("completed", "failure"),
    )
    assert (build.commit, build.number) == (shown.merge_commit, 1 if building.counts_by_workflow else build.id)
    await building.home.push(repository, "main", {"NEWS.md": b"fixed"})
    await building.finish_build(repository, "success")
    builds = (await (await building.builder.serving(repository.for_builds(workflow))).builds([commit], later=True))[
        shown.merge_node
    ]
    assert not isinstance(builds, Failure)
    assert [[run.conclusion for run in group] for group in builds] == [["failure"], ["success"]]
    [later] = builds[1]
    assert later.commit == (await building.home.branches(repository))["main"]
    assert later.number == (2 if building.counts_by_workflow else later.id)


# Builds


async def test_a_workflow_is_shown_with_its_state_and_one_that_is_not_there_is_not(building: Building) -> None:
    repository = await building.home.repository({".github/workflows/go.yml": WORKFLOW})
    workflow = await building.define(repository, "go.yml")
    built = repository.for_builds(workflow)
    shown = await building.builder.workflow(built, workflow)
    assert shown is not None
    assert shown.state == "active"
    assert await building.builder.workflow(built, building.gone) is None
    state = await building.disable(repository, "go.yml")
    served = await building.builder.serving(built)
    assert (await served.latest_runs([shown.node_id]))[shown.node_id].state == state


async def test_the_latest_runs_of_workflows_are_shown_together_newest_first(building: Building) -> None:
    nodes = []
    for conclusion in ("success", "failure"):
        repository = await building.home.repository({".github/workflows/go.yml": WORKFLOW})
        workflow = await building.define(repository, "go.yml")
        built = repository.for_builds(workflow)
        shown = await building.builder.workflow(built, workflow)
        assert shown is not None
        nodes.append(shown.node_id)
        await building.ran(repository, "go.yml", "schedule", MONDAY, "success")
        await building.ran(repository, "go.yml", "push", MONDAY + timedelta(days=1), conclusion)
    latest = await (await building.builder.serving(built)).latest_runs([*nodes, building.gone_node])
    assert list(latest) == nodes
    told = [[(run.event, run.branch, run.conclusion, run.at) for run in latest[node].runs] for node in nodes]
    pushed = MONDAY + timedelta(days=1)
    assert told == [
        [("push", "main", conclusion, pushed), ("schedule", "main", "success", MONDAY)]
        for conclusion in ("success", "failure")
    ]
    assert all(latest[node].are_all for node in nodes)


async def test_the_past_of_a_workflow_goes_further_back_than_its_latest_runs(building: Building) -> None:
    repository = await building.home.repository({".github/workflows/go.yml": WORKFLOW})
    workflow = await building.define(repository, "go.yml")
    built = repository.for_builds(workflow)
    await building.ran(repository, "go.yml", "schedule", MONDAY - timedelta(days=7), "success")
    for hour in range(21):
        await building.ran(repository, "go.yml", "push", MONDAY + timedelta(hours=hour), "failure")
    shown = await building.builder.workflow(built, workflow)
    assert shown is not None
    latest = (await (await building.builder.serving(built)).latest_runs([shown.node_id]))[shown.node_id]
    assert (len(latest.runs), latest.are_all) == (20, False)
    assert {run.event for run in latest.runs} == {"push"}
    past = await building.builder.past_runs(built, workflow, "main")
    assert [run.at for run in past if run.has_succeeded] == [MONDAY - timedelta(days=7)]
    assert [run.event for run in past if run.event == "schedule"] == ["schedule"]


# What they name


@AT_THE_FORGE
async def test_what_environments_ask_is_told_by_name(building: Building) -> None:
    repository = await building.home.repository({PATH: OLD})
    assert await building.builder.environments(repository) == {}
    asked = {
        "Production": EnvironmentProtection(has_reviewers=True, waits=30),
        "by an app": EnvironmentProtection(has_own_rules=True),
        "staging": EnvironmentProtection(),
    }
    for name, protection in asked.items():
        await building.protect(repository, name, protection)
    found = await building.builder.environments(repository)
    assert found == {name.lower(): protection for name, protection in asked.items()}


@AT_THE_FORGE
async def test_the_tags_of_actions_are_told_with_their_fullest_version(building: Building) -> None:
    repository = await building.home.repository({"action.yml": OLD})
    sha = await building.home.push(repository, "main", {"action.yml": NEW})
    for name in ("v3", "v3.6", "v3.6.0"):
        await building.home.tag(repository, name, sha)
    older = await building.home.push(repository, "main", {"action.yml": NEWER})
    await building.home.tag(repository, "v30.1.0", older)
    tag, gone = ActionTag(repository.name, "v3"), ActionTag(repository.name, "v4")
    nobody = ActionTag("contoso/no-such-action", "v1")
    found = await building.builder.action_commits(repository, [tag, gone, nobody])
    assert found == {tag: ActionCommit(sha, "v3.6.0")}
