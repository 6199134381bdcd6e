"""Merges that must wait: required checks and reviews, auto-merge, the merge queue, and rules of branches."""

from typing import Any

import pytest

from sandbox.world import World
from tests.integration.sandbox.github.graphql.conftest import Asking

CI = "name: CI\non: {push: {branches: [main]}, merge_group: {}}\n"

ENABLE = """mutation($id: ID!, $method: PullRequestMergeMethod) {
    enablePullRequestAutoMerge(input: {pullRequestId: $id, mergeMethod: $method})
    {pullRequest {autoMergeRequest {mergeMethod}}}}"""
MERGE = """mutation($id: ID!, $method: PullRequestMergeMethod, $head: GitObjectID) {
    mergePullRequest(input: {pullRequestId: $id, mergeMethod: $method, expectedHeadOid: $head})
    {pullRequest {merged mergeCommit {oid message parents(first: 3) {totalCount}}}}}"""
ENQUEUE = """mutation($id: ID!) {enqueuePullRequest(input: {pullRequestId: $id})
    {mergeQueueEntry {position state pullRequest {isInMergeQueue}}}}"""
LOOK = """query($id: ID!) {node(id: $id) {... on PullRequest {state mergeStateStatus reviewDecision isInMergeQueue
    viewerCanEnableAutoMerge autoMergeRequest {mergeMethod} mergeCommit {oid} statusCheckRollup {state}}}}"""


async def opened(world: World, name: str, **flags: Any) -> tuple[str, str]:
    """A repository with one pull request: its node id and head."""
    await world.github.create_repository(name, {"a": "1", ".github/workflows/ci.yml": CI}, **flags)
    return await another(world, name, "freshness/a")


async def another(world: World, name: str, branch: str) -> tuple[str, str]:
    await world.github.branch(name, branch)
    head = await world.github.push(name, {f"{branch}.txt": "2"}, branch=branch)
    body = {"title": "Take it", "head": branch, "base": "main"}
    pull = await world.github.ask("POST", f"/repos/contoso/{name}/pulls", body)
    return str(pull["node_id"]), head


def message(answer: Any) -> str:
    return str(answer["errors"][0]["message"])


@pytest.mark.parametrize(("method", "parents"), [("MERGE", 2), ("SQUASH", 1), ("REBASE", 1)])
async def test_a_merge_moves_the_base_to_its_commit_and_starts_what_runs_on_push(
    shared_world: World, ask: Asking, method: str, parents: int
) -> None:
    pull, head = await opened(shared_world, f"mg-{method}")
    stale = await ask(MERGE, id=pull, method=method, head="0" * 40)
    assert message(stale) == "Head branch was modified. Review and try the merge again."
    seen = (await ask.data(MERGE, id=pull, method=method, head=head))["mergePullRequest"]["pullRequest"]
    assert (seen["merged"], seen["mergeCommit"]["parents"]["totalCount"]) == (True, parents)
    assert seen["mergeCommit"]["oid"] == await shared_world.github.head(f"mg-{method}")
    [run] = shared_world.github.runs(f"mg-{method}")
    assert (run.event, run.sha) == ("push", seen["mergeCommit"]["oid"])


async def test_required_checks_and_reviews_block_a_merge_in_turn(shared_world: World, ask: Asking) -> None:
    pull, head = await opened(shared_world, "mg-required")
    shared_world.github.protect("mg-required", checks=("build",), reviews=1)
    seen = (await ask.data(LOOK, id=pull))["node"]
    assert (seen["mergeStateStatus"], seen["reviewDecision"]) == ("BLOCKED", "REVIEW_REQUIRED")
    assert message(await ask(MERGE, id=pull)) == 'Required status check "build" is expected.'
    shared_world.github.report_check("mg-required", head, "build", "failure")
    assert (await ask.data(LOOK, id=pull))["node"]["statusCheckRollup"] == {"state": "FAILURE"}
    shared_world.github.report_check("mg-required", head, "build", "success")
    assert message(await ask(MERGE, id=pull)).startswith("At least 1 approving review is required")
    await shared_world.github.review("mg-required", 1)
    seen = (await ask.data(LOOK, id=pull))["node"]
    assert (seen["mergeStateStatus"], seen["reviewDecision"]) == ("CLEAN", "APPROVED")
    assert "errors" not in await ask(MERGE, id=pull)


async def test_a_strict_base_that_moved_on_leaves_a_branch_behind(shared_world: World, ask: Asking) -> None:
    pull, head = await opened(shared_world, "mg-strict")
    shared_world.github.protect("mg-strict", checks=("build",), strict=True)
    shared_world.github.report_check("mg-strict", head, "build", "success")
    assert (await ask.data(LOOK, id=pull))["node"]["mergeStateStatus"] == "CLEAN"
    await shared_world.github.push("mg-strict", {"b": "1"})
    assert (await ask.data(LOOK, id=pull))["node"]["mergeStateStatus"] == "BEHIND"


async def test_auto_merge_merges_when_nothing_is_unmet_any_more(shared_world: World, ask: Asking) -> None:
    pull, head = await opened(shared_world, "mg-auto", allow_auto_merge=True)
    shared_world.github.protect("mg-auto", checks=("build",))
    assert (await ask.data(LOOK, id=pull))["node"]["viewerCanEnableAutoMerge"] is True
    seen = await ask.data(ENABLE, id=pull, method="SQUASH")
    assert seen["enablePullRequestAutoMerge"]["pullRequest"]["autoMergeRequest"] == {"mergeMethod": "SQUASH"}
    [shown] = await shared_world.github.pull_requests("mg-auto")
    assert shown["auto_merge"]["merge_method"] == "squash"
    assert (await ask.data(LOOK, id=pull))["node"]["state"] == "OPEN"
    shared_world.github.report_check("mg-auto", head, "build", "success")
    seen = (await ask.data(LOOK, id=pull))["node"]
    assert (seen["state"], seen["mergeCommit"]["oid"]) == ("MERGED", await shared_world.github.head("mg-auto"))


async def test_auto_merge_is_refused_where_it_makes_no_sense(shared_world: World, ask: Asking) -> None:
    not_allowed, _ = await opened(shared_world, "mg-not-allowed")
    assert "Auto merge is not allowed for this repository" in message(await ask(ENABLE, id=not_allowed))
    bare, _ = await opened(shared_world, "mg-bare", allow_auto_merge=True)
    assert "Protected branch rules not configured for this branch" in message(await ask(ENABLE, id=bare))
    clean, head = await opened(shared_world, "mg-clean", allow_auto_merge=True)
    shared_world.github.protect("mg-clean", checks=("build",))
    shared_world.github.report_check("mg-clean", head, "build", "success")
    assert "Pull request is in clean status" in message(await ask(ENABLE, id=clean))
    shared_world.github.report_check("mg-clean", head, "lint", "failure")
    assert "Pull request is in unstable status" in message(await ask(ENABLE, id=clean))


async def test_what_a_queue_guards_is_enqueued_and_lands_as_one_push(shared_world: World, ask: Asking) -> None:
    first, _ = await opened(shared_world, "mg-queue")
    second, _ = await another(shared_world, "mg-queue", "freshness/b")
    shared_world.github.protect("mg-queue", queue="SQUASH")
    assert message(await ask(MERGE, id=first)) == "Changes must be made through the merge queue"
    with pytest.raises(RuntimeError, match=r"405.*Changes must be made through the merge queue"):
        await shared_world.github.merge("mg-queue", 1)
    places = [(await ask.data(ENQUEUE, id=one))["enqueuePullRequest"]["mergeQueueEntry"] for one in (first, second)]
    assert [(place["position"], place["pullRequest"]["isInMergeQueue"]) for place in places] == [
        (1, True),
        (2, True),
    ]
    await shared_world.github.land_queue("mg-queue")
    commits = [(await ask.data(LOOK, id=one))["node"]["mergeCommit"]["oid"] for one in (first, second)]
    runs = {run.event: run.sha for run in shared_world.github.runs("mg-queue")}
    assert runs["push"] == commits[1] == await shared_world.github.head("mg-queue")
    assert [run.event for run in shared_world.github.runs("mg-queue")].count("push") == 1
    assert "merge_group" in runs


CREATE = """mutation($id: ID!, $name: String!, $oid: GitObjectID!) {
    createRef(input: {repositoryId: $id, name: $name, oid: $oid}) {ref {name}}}"""


@pytest.mark.parametrize(
    ("kind", "parameters", "text"),
    [
        ("creation", {}, "Cannot create ref due to creations being restricted."),
        ("branch_name_pattern", {"operator": "starts_with", "pattern": "feature/"}, "Branch name must match"),
        ("commit_message_pattern", {"operator": "regex", "pattern": "^JIRA-"}, "Commit message must match"),
        ("required_signatures", {}, "Commits must have verified signatures."),
    ],
)
async def test_a_rule_refuses_a_branch_and_tells_so_beforehand(
    shared_world: World, ask: Asking, kind: str, parameters: dict[str, Any], text: str
) -> None:
    name = f"mg-{kind}"
    await shared_world.github.create_repository(name, {"a": "1"})
    head = await shared_world.github.head(name)
    shared_world.github.forbid(name, "freshness/*", kind, **parameters)
    query = {"id": await ask.repository_id(name), "name": "refs/heads/freshness/a", "oid": head}
    assert text in message(await ask(CREATE, **query))
    body = {"ref": "refs/heads/freshness/a", "sha": head}
    refused = await ask.client.post(f"/repos/contoso/{name}/git/refs", json=body)
    assert refused.status_code == 422
    assert refused.json()["message"].startswith("Repository rule violations found")
    rules = (await ask.client.get(f"/repos/contoso/{name}/rules/branches/freshness%2Fa")).json()
    assert [rule["type"] for rule in rules] == [kind]
    assert "errors" not in await ask(CREATE, **{**query, "name": "refs/heads/other"})


async def test_mergeable_may_be_unknown_at_the_first_look(world: World) -> None:
    await opened(world, "late")
    world.github.requests.computes_late = True
    looks = [await world.github.ask("GET", "/repos/contoso/late/pulls/1") for _ in range(2)]
    assert [look["mergeable"] for look in looks] == [None, True]
