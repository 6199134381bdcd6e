"""The App in several organisations: what each installation may do, and what one may not."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import pytest_asyncio

from sandbox.edges.edge import PATIENCE
from sandbox.github.access.installations import app_token
from sandbox.world import World

WORKFLOW = ".github/workflows/ci.yml"
FILES = {"a": "1", WORKFLOW: "on: workflow_dispatch\n"}
NOT_ACCESSIBLE = "Resource not accessible by integration"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def pair() -> AsyncIterator[World]:
    """Two organisations, with a repository in each."""
    async with World(organisations=("contoso", "fabrikam"), validate=True) as world:
        await world.github.create_repository("ours", FILES)
        await world.github.create_repository("theirs", FILES)
        await world.github.transfer("theirs", "fabrikam")
        yield world
        assert world.traffic.violations == []


@asynccontextmanager
async def bearing(world: World, token: str) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=world.github.url, headers=headers, timeout=PATIENCE) as client:
        yield client


@asynccontextmanager
async def installed(world: World, account: str = "contoso", **less: str | None) -> AsyncIterator[httpx.AsyncClient]:
    """As an installation whose token lacks the permissions that are None in `less`."""
    installation = world.github.edge.installations.of(account)
    permissions = {**installation.permissions, **less}
    wanted = {name: level for name, level in permissions.items() if level}
    async with bearing(world, app_token(world.github.private_key)) as app:
        answer = await app.post(f"/app/installations/{installation.id}/access_tokens", json={"permissions": wanted})
        assert answer.status_code == 201, answer.text
    async with bearing(world, answer.json()["token"]) as client:
        yield client


async def test_each_organisation_is_an_installation_of_its_own(pair: World) -> None:
    async with bearing(pair, app_token(pair.github.private_key)) as app:
        rows = (await app.get("/app/installations")).json()
    assert [(row["id"], row["account"]["login"]) for row in rows] == [(100, "contoso"), (101, "fabrikam")]
    for account, name in (("contoso", "ours"), ("fabrikam", "theirs")):
        async with installed(pair, account) as client:
            listed = (await client.get("/installation/repositories")).json()["repositories"]
            assert [row["full_name"] for row in listed] == [f"{account}/{name}"]


async def test_what_belongs_to_another_installation_is_not_there(pair: World) -> None:
    async with installed(pair, "fabrikam") as client:
        assert (await client.get("/repos/contoso/ours")).status_code == 404
        query = '{repository(owner: "contoso", name: "ours") {id}}'
        answer = (await client.post("/graphql", json={"query": query})).json()
    assert answer["errors"][0]["type"] == "NOT_FOUND"


async def test_each_installation_has_a_budget_of_its_own_whatever_its_tokens(pair: World) -> None:
    async def used(client: httpx.AsyncClient, name: str) -> int:
        return int((await client.get(f"/repos/{name}")).headers["x-ratelimit-used"])

    async with installed(pair) as first, installed(pair) as second, installed(pair, "fabrikam") as other:
        theirs = await used(other, "fabrikam/theirs")
        before = await used(first, "contoso/ours")
        assert await used(second, "contoso/ours") == before + 1
        assert await used(other, "fabrikam/theirs") == theirs + 1


@pytest.mark.parametrize(
    ("method", "path", "body", "permission", "accepted"),
    [
        ("GET", "contents/a", None, "contents", "contents=read"),
        ("GET", "pulls", None, "pull_requests", "pull_requests=read"),
        ("GET", "actions/runs", None, "actions", "actions=read"),
        ("GET", "commits/main/check-runs", None, "checks", "checks=read"),
        ("POST", "git/refs", {"ref": "refs/heads/x", "sha": "0" * 40}, "contents", "contents=write"),
        ("POST", "pulls", {"title": "t", "head": "x", "base": "main"}, "pull_requests", "pull_requests=write"),
        ("PUT", "pulls/1/merge", {}, "contents", "contents=write"),
        ("POST", "issues", {"title": "t"}, "issues", "issues=write"),
        ("POST", "actions/workflows/ci.yml/dispatches", {"ref": "main"}, "actions", "actions=write"),
    ],
)
async def test_a_permission_that_is_missing_is_named(
    pair: World, method: str, path: str, body: object, permission: str, accepted: str
) -> None:
    async with installed(pair, **dict[str, Any]({permission: None})) as client:
        answer = await client.request(method, f"/repos/contoso/ours/{path}", json=body)
    assert (answer.status_code, answer.json()["message"]) == (403, NOT_ACCESSIBLE)
    assert answer.headers["x-accepted-github-permissions"] == accepted


async def test_labels_and_comments_take_either_of_two_permissions(pair: World) -> None:
    issue = await pair.github.ask("POST", "/repos/contoso/ours/issues", {"title": "t"})
    path = f"/repos/contoso/ours/issues/{issue['number']}/comments"
    async with installed(pair, issues=None) as client:
        assert (await client.post(path, json={"body": "x"})).status_code == 201
    async with installed(pair, issues=None, pull_requests=None) as client:
        answer = await client.post(path, json={"body": "x"})
    assert answer.headers["x-accepted-github-permissions"] == "issues=write; pull_requests=write"


async def test_graphql_refuses_with_forbidden(pair: World) -> None:
    repository = (await pair.github.ask("GET", "/repos/contoso/ours"))["node_id"]
    query = 'mutation($id: ID!) {createIssue(input: {repositoryId: $id, title: "t"}) {issue {id}}}'
    async with installed(pair, issues=None) as client:
        answer = await client.post("/graphql", json={"query": query, "variables": {"id": repository}})
    [error] = answer.json()["errors"]
    assert (answer.status_code, error["type"], error["message"]) == (200, "FORBIDDEN", NOT_ACCESSIBLE)


COMMIT = """mutation($head: GitObjectID!, $path: String!) {createCommitOnBranch(input: {
    branch: {repositoryNameWithOwner: "contoso/ours", branchName: "main"}, expectedHeadOid: $head,
    message: {headline: "x"}, fileChanges: {additions: [{path: $path, contents: "eA=="}]}})
    {commit {oid signature {isValid}}}}"""


async def test_a_workflow_file_needs_a_permission_of_its_own(pair: World) -> None:
    head = await pair.github.head("ours")
    text = (
        f"refusing to allow a GitHub App to create or update workflow `{WORKFLOW}` without `workflows` permission"
    )
    async with installed(pair, workflows=None) as client:
        variables = {"head": head, "path": WORKFLOW}
        answer = (await client.post("/graphql", json={"query": COMMIT, "variables": variables})).json()
        assert (answer["errors"][0]["type"], answer["errors"][0]["message"]) == ("FORBIDDEN", text)
        content = {"message": "x", "content": base64.b64encode(b"x").decode(), "branch": "main"}
        by_rest = await client.put(f"/repos/contoso/ours/contents/{WORKFLOW}", json=content)
        assert (by_rest.status_code, by_rest.json()["message"]) == (403, text)
        variables["path"] = "b"
        other = (await client.post("/graphql", json={"query": COMMIT, "variables": variables})).json()
        assert "errors" not in other


async def test_a_branch_with_a_changed_workflow_is_refused_too(pair: World) -> None:
    entry = {"path": WORKFLOW, "mode": "100644", "type": "blob", "content": "on: push\n"}
    head = await pair.github.head("ours")
    base = (await pair.github.ask("GET", f"/repos/contoso/ours/git/commits/{head}"))["tree"]["sha"]
    tree = await pair.github.ask("POST", "/repos/contoso/ours/git/trees", {"base_tree": base, "tree": [entry]})
    commit = {"message": "x", "tree": tree["sha"], "parents": [head]}
    sha = (await pair.github.ask("POST", "/repos/contoso/ours/git/commits", commit))["sha"]
    async with installed(pair, workflows=None) as client:
        path = "/repos/contoso/ours/git/refs"
        refused = await client.post(path, json={"ref": "refs/heads/w", "sha": sha})
        allowed = await client.post(path, json={"ref": "refs/heads/v", "sha": head})
    assert (refused.status_code, allowed.status_code) == (403, 201)


async def test_what_an_app_commits_without_naming_an_author_is_signed(pair: World) -> None:
    head = await pair.github.head("ours")
    tree = (await pair.github.ask("GET", f"/repos/contoso/ours/git/commits/{head}"))["tree"]["sha"]
    commit = {"message": "signed", "tree": tree, "parents": [head]}
    own = {**commit, "author": {"name": "n", "email": "e@example.org"}}
    async with installed(pair) as client:
        path = "/repos/contoso/ours/git/commits"
        plain, named = [(await client.post(path, json=body)).json() for body in (commit, own)]
    assert (plain["verification"]["verified"], named["verification"]["verified"]) == (True, False)
    assert plain["committer"]["email"] == "noreply@github.com"


async def test_a_suspended_installation_is_listed_and_refused(pair: World) -> None:
    installation = pair.github.edge.installations.of("fabrikam")
    async with installed(pair, "fabrikam") as client, bearing(pair, app_token(pair.github.private_key)) as app:
        pair.github.suspend("fabrikam")
        try:
            refused = await client.get("/repos/fabrikam/theirs")
            token = await app.post(f"/app/installations/{installation.id}/access_tokens", json={})
            rows = (await app.get("/app/installations")).json()
        finally:
            installation.suspended_at = None
    for answer in (refused, token):
        assert (answer.status_code, answer.json()["message"]) == (403, "This installation has been suspended")
    assert [row["suspended_at"] is not None for row in rows] == [False, True]


async def test_a_removed_installation_is_gone(pair: World) -> None:
    installation = pair.github.edge.installations.of("fabrikam")
    async with bearing(pair, app_token(pair.github.private_key)) as app:
        pair.github.uninstall("fabrikam")
        try:
            token = await app.post(f"/app/installations/{installation.id}/access_tokens", json={})
            rows = (await app.get("/app/installations")).json()
        finally:
            installation.is_removed = False
    assert (token.status_code, [row["account"]["login"] for row in rows]) == (404, ["contoso"])


async def test_more_than_was_granted_is_refused(pair: World) -> None:
    async with bearing(pair, app_token(pair.github.private_key)) as app:
        wanted = {"permissions": {"administration": "write"}}
        answer = await app.post("/app/installations/100/access_tokens", json=wanted)
    assert answer.status_code == 422
