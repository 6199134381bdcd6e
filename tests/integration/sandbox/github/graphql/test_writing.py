"""Writing to GitHub by GraphQL: one mutation after another, and what each refuses."""

import asyncio
import base64
from typing import Any

from sandbox.world import World
from tests.integration.sandbox.github.graphql.conftest import Asking

OLD, NEW = "FROM dotnet/aspnet:8.0.21\n", "FROM dotnet/aspnet:8.0.22\n"
ZEROS = "0" * 40

REBUILD = """mutation($repository: ID!, $base: GitObjectID!, $contents: Base64String!, $nwo: String!) {
    createRef(input: {repositoryId: $repository, name: "refs/heads/freshness/a", oid: $base}) {ref {id name}}
    createCommitOnBranch(input: {
        branch: {repositoryNameWithOwner: $nwo, branchName: "freshness/a"}, expectedHeadOid: $base,
        message: {headline: "Take 8.0.22", body: "why"},
        fileChanges: {additions: [{path: "Dockerfile", contents: $contents}]}
    }) {commit {oid message signature {isValid wasSignedByGitHub} author {name} committer {email}
        parents(first: 1) {nodes {oid}}}}
    createPullRequest(input: {repositoryId: $repository, baseRefName: "main", headRefName: "freshness/a",
        title: "Take 8.0.22", body: "why", clientMutationId: "r-1"}) {
        clientMutationId pullRequest {id number state headRefOid}}}"""

UPDATE_REFS = """mutation($id: ID!, $updates: [RefUpdate!]!) {
    updateRefs(input: {repositoryId: $id, refUpdates: $updates}) {clientMutationId}}"""


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


async def rebuilt(world: World, ask: Asking, name: str) -> Any:
    """A repository for which the bot opened a pull request in one request; the whole answer."""
    await world.github.create_repository(name, {"Dockerfile": OLD, "other.txt": "1\n"})
    return await ask(
        REBUILD,
        repository=await ask.repository_id(name),
        base=await world.github.head(name),
        contents=encoded(NEW),
        nwo=f"contoso/{name}",
    )


def problem(answer: Any) -> tuple[str, list[object], str]:
    [error] = answer["errors"]
    return error["type"], error["path"], error["message"]


async def test_branch_commit_and_pull_request_come_with_one_request(shared_world: World, ask: Asking) -> None:
    answer = await rebuilt(shared_world, ask, "gq-one")
    assert "errors" not in answer
    commit, made = answer["data"]["createCommitOnBranch"]["commit"], answer["data"]["createPullRequest"]
    assert commit["message"] == "Take 8.0.22\n\nwhy"
    assert commit["signature"] == {"isValid": True, "wasSignedByGitHub": True}
    assert commit["author"]["name"] == "Freshness Bot"
    assert commit["committer"]["email"] == "noreply@github.com"
    assert (made["clientMutationId"], made["pullRequest"]["headRefOid"]) == ("r-1", commit["oid"])
    [pull] = await shared_world.github.pull_requests("gq-one")
    assert (pull["node_id"], pull["head"]["sha"]) == (made["pullRequest"]["id"], commit["oid"])
    assert await shared_world.github.read("gq-one", "Dockerfile", "freshness/a") == NEW
    assert await shared_world.github.read("gq-one", "other.txt", "freshness/a") == "1\n"
    shown = await shared_world.github.ask("GET", f"/repos/contoso/gq-one/git/commits/{commit['oid']}")
    assert shown["verification"]["verified"] is True


async def test_a_mutation_that_fails_is_null_and_the_others_stand(shared_world: World, ask: Asking) -> None:
    await rebuilt(shared_world, ask, "gq-partly")
    again = await ask(
        REBUILD,
        repository=await ask.repository_id("gq-partly"),
        base=await shared_world.github.head("gq-partly", "freshness/a"),
        contents=encoded("FROM newer\n"),
        nwo="contoso/gq-partly",
    )
    assert [name for name, payload in again["data"].items() if payload is None] == [
        "createRef",
        "createPullRequest",
    ]
    assert [(error["path"], error["message"]) for error in again["errors"]] == [
        (["createRef"], "Reference already exists"),
        (["createPullRequest"], "A pull request already exists for contoso:freshness/a."),
    ]
    assert await shared_world.github.read("gq-partly", "Dockerfile", "freshness/a") == "FROM newer\n"


COMMIT = """mutation($branch: ID!, $head: GitObjectID!, $changes: FileChanges) {createCommitOnBranch(input: {
    branch: {id: $branch}, expectedHeadOid: $head, message: {headline: "x"}, fileChanges: $changes})
    {commit {oid file(path: "run.sh") {mode}}}}"""


async def main_of(world: World, ask: Asking, name: str) -> tuple[str, str]:
    query = 'query($name: String!) {repository(owner: "contoso", name: $name) {ref(qualifiedName: "main") {id}}}'
    seen = await ask.data(query, name=name)
    return seen["repository"]["ref"]["id"], await world.github.head(name)


async def test_a_commit_on_a_branch_that_moved_is_stale(shared_world: World, ask: Asking) -> None:
    await shared_world.github.create_repository("gq-stale", {"a": "1"})
    branch, head = await main_of(shared_world, ask, "gq-stale")
    await shared_world.github.push("gq-stale", {"a": "2"})
    answer = await ask(COMMIT, branch=branch, head=head)
    assert answer["data"] == {"createCommitOnBranch": None}
    assert problem(answer) == (
        "STALE_DATA",
        ["createCommitOnBranch"],
        f'Expected branch to point to "{head}" but it did not.  Pull and try again.',
    )


async def test_a_commit_takes_whole_files_without_their_modes(shared_world: World, ask: Asking) -> None:
    await shared_world.github.create_repository("gq-modes", {"a": "1", "run.sh": "x"}, executable=["run.sh"])
    branch, head = await main_of(shared_world, ask, "gq-modes")
    changes = {"additions": [{"path": "run.sh", "contents": encoded("y")}], "deletions": [{"path": "a"}]}
    seen = await ask.data(COMMIT, branch=branch, head=head, changes=changes)
    commit = seen["createCommitOnBranch"]["commit"]
    assert commit["file"] == {"mode": 33188}
    entries = (await shared_world.github.ask("GET", "/repos/contoso/gq-modes/git/trees/main"))["tree"]
    assert [(entry["path"], entry["mode"]) for entry in entries] == [("run.sh", "100644")]


async def test_paths_must_be_there_to_be_deleted_and_named_once(shared_world: World, ask: Asking) -> None:
    await shared_world.github.create_repository("gq-paths", {"a": "1"})
    branch, head = await main_of(shared_world, ask, "gq-paths")
    gone = await ask(COMMIT, branch=branch, head=head, changes={"deletions": [{"path": "b"}]})
    twice = {"additions": [{"path": "a", "contents": ""}], "deletions": [{"path": "a"}]}
    double = await ask(COMMIT, branch=branch, head=head, changes=twice)
    absolute = await ask(COMMIT, branch=branch, head=head, changes={"additions": [{"path": "/a", "contents": ""}]})
    assert [problem(answer)[0] for answer in (gone, double, absolute)] == ["UNPROCESSABLE"] * 3
    assert await shared_world.github.head("gq-paths") == head


async def test_branches_move_together_or_not_at_all(shared_world: World, ask: Asking) -> None:
    await shared_world.github.create_repository("gq-cas", {"a": "1"})
    first = await shared_world.github.head("gq-cas")
    await shared_world.github.branch("gq-cas", "old")
    second = await shared_world.github.push("gq-cas", {"a": "2"})
    repository = await ask.repository_id("gq-cas")
    old = {"name": "refs/heads/old", "beforeOid": first, "afterOid": second}
    new = {"name": "refs/heads/new", "beforeOid": ZEROS, "afterOid": second}
    gone = {"name": "refs/heads/main", "beforeOid": first, "afterOid": first}
    answer = await ask(UPDATE_REFS, id=repository, updates=[old, new, gone])
    assert answer["data"] == {"updateRefs": None}
    assert problem(answer)[0] == "UNPROCESSABLE"
    assert await shared_world.github.branches("gq-cas") == {"main": second, "old": first}
    await ask.data(UPDATE_REFS, id=repository, updates=[old, new])
    assert await shared_world.github.branches("gq-cas") == {"main": second, "old": second, "new": second}
    away = {"name": "refs/heads/new", "beforeOid": second, "afterOid": ZEROS}
    await ask.data(UPDATE_REFS, id=repository, updates=[away])
    assert await shared_world.github.branches("gq-cas") == {"main": second, "old": second}


async def test_of_those_who_move_a_branch_from_one_commit_at_once_one_succeeds(
    shared_world: World, ask: Asking
) -> None:
    await shared_world.github.create_repository("gq-race", {"a": "1"})
    first = await shared_world.github.head("gq-race")
    await shared_world.github.branch("gq-race", "left")
    targets = [await shared_world.github.push("gq-race", {"a": str(number)}) for number in range(4)]
    repository = await ask.repository_id("gq-race")
    updates = [
        {"name": "refs/heads/left", "beforeOid": first, "afterOid": target, "force": True} for target in targets
    ]
    answers = await asyncio.gather(*(ask(UPDATE_REFS, id=repository, updates=[each]) for each in updates))
    assert ["errors" in answer for answer in answers].count(False) == 1


async def test_a_branch_moves_backwards_only_by_force(shared_world: World, ask: Asking) -> None:
    await shared_world.github.create_repository("gq-force", {"a": "1"})
    first = await shared_world.github.head("gq-force")
    second = await shared_world.github.push("gq-force", {"a": "2"})
    await shared_world.github.branch("gq-force", "work", second)
    repository = await ask.repository_id("gq-force")
    back = {"name": "refs/heads/work", "beforeOid": second, "afterOid": first}
    refused = await ask(UPDATE_REFS, id=repository, updates=[back])
    assert problem(refused)[2] == "Update is not a fast-forward"
    await ask.data(UPDATE_REFS, id=repository, updates=[{**back, "force": True}])
    assert (await shared_world.github.branches("gq-force"))["work"] == first


async def test_a_branch_without_anything_of_its_own_closes_its_pull_request(
    shared_world: World, ask: Asking
) -> None:
    await rebuilt(shared_world, ask, "gq-empty")
    head, base = [await shared_world.github.head("gq-empty", name) for name in ("freshness/a", "main")]
    back = {"name": "refs/heads/freshness/a", "beforeOid": head, "afterOid": base, "force": True}
    await ask.data(UPDATE_REFS, id=await ask.repository_id("gq-empty"), updates=[back])
    [pull] = await shared_world.github.pull_requests("gq-empty", "all")
    assert (pull["state"], pull["merged_at"]) == ("closed", None)


async def test_a_branch_is_made_moved_and_deleted_by_its_id(shared_world: World, ask: Asking) -> None:
    await shared_world.github.create_repository("gq-ref", {"a": "1"})
    first = await shared_world.github.head("gq-ref")
    second = await shared_world.github.push("gq-ref", {"a": "2"})
    create = """mutation($id: ID!, $oid: GitObjectID!) {
        createRef(input: {repositoryId: $id, name: "refs/heads/x", oid: $oid}) {ref {id}}}"""
    made = await ask.data(create, id=await ask.repository_id("gq-ref"), oid=first)
    ref = made["createRef"]["ref"]["id"]
    move = "mutation($id: ID!, $oid: GitObjectID!) {updateRef(input: {refId: $id, oid: $oid}) {ref {target {oid}}}}"
    moved = await ask.data(move, id=ref, oid=second)
    assert moved["updateRef"]["ref"]["target"]["oid"] == second
    await ask.data("mutation($id: ID!) {deleteRef(input: {refId: $id}) {clientMutationId}}", id=ref)
    assert set(await shared_world.github.branches("gq-ref")) == {"main"}


async def test_labels_are_taken_by_id_and_never_made_on_the_way(shared_world: World, ask: Asking) -> None:
    pull = (await rebuilt(shared_world, ask, "gq-labels"))["data"]["createPullRequest"]["pullRequest"]["id"]
    create = """mutation($id: ID!, $name: String!) {
        createLabel(input: {repositoryId: $id, name: $name, color: "ededed"}) {label {id name}}}"""
    repository = await ask.repository_id("gq-labels")
    made = [(await ask.data(create, id=repository, name=name))["createLabel"]["label"] for name in ("a", "b")]
    add = """mutation($id: ID!, $labels: [ID!]!) {addLabelsToLabelable(input: {labelableId: $id, labelIds: $labels})
        {labelable {labels(first: 9) {nodes {name}}}}}"""
    seen = await ask.data(add, id=pull, labels=[label["id"] for label in made])
    assert [row["name"] for row in seen["addLabelsToLabelable"]["labelable"]["labels"]["nodes"]] == ["a", "b"]
    answer = await ask(add, id=pull, labels=["LA_unknown"])
    assert problem(answer)[:2] == ("NOT_FOUND", ["addLabelsToLabelable"])


async def test_a_pull_request_is_changed_closed_and_reopened(shared_world: World, ask: Asking) -> None:
    pull = (await rebuilt(shared_world, ask, "gq-change"))["data"]["createPullRequest"]["pullRequest"]["id"]
    change = """mutation($id: ID!) {
        updatePullRequest(input: {pullRequestId: $id, title: "t", body: "b"}) {pullRequest {title body state}}
        closePullRequest(input: {pullRequestId: $id}) {pullRequest {state}}
        reopenPullRequest(input: {pullRequestId: $id}) {pullRequest {state}}}"""
    seen = await ask.data(change, id=pull)
    assert seen["updatePullRequest"]["pullRequest"] == {"title": "t", "body": "b", "state": "OPEN"}
    assert seen["closePullRequest"]["pullRequest"]["state"] == "CLOSED"
    assert seen["reopenPullRequest"]["pullRequest"]["state"] == "OPEN"


REVIEWS = """mutation($id: ID!, $users: [ID!], $teams: [ID!], $union: Boolean) {
    requestReviews(input: {pullRequestId: $id, userIds: $users, teamIds: $teams, union: $union})
    {pullRequest {reviewRequests(first: 9) {nodes {requestedReviewer {
        ... on User {login} ... on Team {slug}}}}}}}"""


async def test_reviews_replace_those_that_were_asked_before_unless_they_are_united(
    shared_world: World, ask: Asking
) -> None:
    pull = (await rebuilt(shared_world, ask, "gq-reviews"))["data"]["createPullRequest"]["pullRequest"]["id"]
    await shared_world.github.create_team("reviewers")
    people = await ask.data(
        """{user(login: "operator") {id} organization(login: "contoso") {team(slug: "reviewers") {id}}}"""
    )
    user, team = people["user"]["id"], people["organization"]["team"]["id"]

    async def asked(**given: object) -> list[str]:
        rows = (await ask.data(REVIEWS, id=pull, **given))["requestReviews"]["pullRequest"]["reviewRequests"]
        return [value for row in rows["nodes"] for value in row["requestedReviewer"].values()]

    assert await asked(users=[user]) == ["operator"]
    assert await asked(teams=[team], union=True) == ["operator", "reviewers"]
    assert await asked(teams=[team]) == ["reviewers"]


async def test_nobody_reviews_their_own_pull_request(shared_world: World, ask: Asking) -> None:
    pull = (await rebuilt(shared_world, ask, "gq-own"))["data"]["createPullRequest"]["pullRequest"]["id"]
    bot = (await ask.data('{user(login: "freshness-bot") {id}}'))["user"]["id"]
    answer = await ask(REVIEWS, id=pull, users=[bot])
    assert problem(answer)[2] == "Review cannot be requested from pull request author."


async def test_issues_and_comments_are_made_and_edited(shared_world: World, ask: Asking) -> None:
    await shared_world.github.create_repository("gq-issues", {"a": "1"})
    create = """mutation($id: ID!) {
        createIssue(input: {repositoryId: $id, title: "t", body: "b"}) {issue {id number}}}"""
    made = await ask.data(create, id=await ask.repository_id("gq-issues"))
    issue = made["createIssue"]["issue"]
    edit = """mutation($id: ID!) {
        addComment(input: {subjectId: $id, body: "hello"}) {commentEdge {node {id body}}}
        updateIssue(input: {id: $id, body: "new", state: CLOSED}) {issue {body state}}}"""
    seen = await ask.data(edit, id=issue["id"])
    assert seen["addComment"]["commentEdge"]["node"]["body"] == "hello"
    assert seen["updateIssue"]["issue"] == {"body": "new", "state": "CLOSED"}
    assert await shared_world.github.comments("gq-issues", issue["number"]) == ["hello"]


async def test_an_archived_repository_refuses_mutations(shared_world: World, ask: Asking) -> None:
    await shared_world.github.create_repository("gq-attic", {"a": "1"}, archived=True)
    create = """mutation($id: ID!) {createIssue(input: {repositoryId: $id, title: "t"}) {issue {id}}}"""
    answer = await ask(create, id=await ask.repository_id("gq-attic"))
    assert problem(answer)[2] == "Repository was archived so is read-only."
