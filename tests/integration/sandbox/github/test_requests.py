"""What the bot asks is held to GitHub's published description of the server that the edge plays."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from sandbox.edges.edge import PATIENCE
from sandbox.world import World

DISPATCHES = "/repos/contoso/{}/actions/workflows/rebuild.yml/dispatches"
FILES = {".github/workflows/rebuild.yml": "on: workflow_dispatch\n"}


@asynccontextmanager
async def bot(world: World) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"authorization": f"Bearer {world.github.token}"}
    async with httpx.AsyncClient(base_url=world.github.url, headers=headers, timeout=PATIENCE) as client:
        yield client


def taken(world: World) -> list[str]:
    """The violations so far, which the test has seen herewith."""
    found = [violation.partition(": ")[2] for violation in world.traffic.violations]
    world.traffic.violations.clear()
    return found


@pytest.mark.parametrize(
    ("method", "path", "body", "violation"),
    [
        ("POST", "issues", {"title": "t", "colour": "red"}, '"colour" is not a permitted key.'),
        ("POST", "issues", {"body": "b"}, '"title" wasn\'t supplied.'),
        ("POST", "issues", {"title": ["t"]}, "For 'properties/title', ['t'] is not valid"),
        ("PATCH", "pulls/1", {"state": "merged"}, "For 'properties/state', 'merged' is not one of"),
        ("POST", "git/trees", {"tree": [{"path": "a", "mod": "x"}]}, '"mod" is not a permitted key.'),
        ("GET", "pulls?stat=all", None, '"stat" is not a documented parameter.'),
        ("GET", "pulls?state=merged", None, "For 'query/state', \"merged\""),
        ("GET", "pulls/first", None, "For 'path/pull_number', \"first\""),
        ("GET", "pull-requests", None, "no such operation is described"),
    ],
)
async def test_a_request_that_is_not_described_is_refused_and_noted(
    shared_world: World, method: str, path: str, body: object, violation: str
) -> None:
    repository = f"asked-{method}-{abs(hash(violation))}"
    await shared_world.github.create_repository(repository, {"a": "1"})
    async with bot(shared_world) as client:
        answer = await client.request(method, f"/repos/contoso/{repository}/{path}", json=body)
    [noted] = taken(shared_world)
    assert violation in noted
    assert answer.status_code in (404, 422)


async def test_what_is_described_passes(shared_world: World) -> None:
    await shared_world.github.create_repository("described-asked", {"a/b c.txt": "1"})
    async with bot(shared_world) as client:
        for path in (
            "contents/a/b%20c.txt?ref=main",
            "git/ref/heads/main",
            "compare/main...main",
            "pulls?state=all",
        ):
            assert (await client.get(f"/repos/contoso/described-asked/{path}")).status_code == 200
    assert taken(shared_world) == []


async def test_a_version_of_the_api_that_is_unknown_is_refused(shared_world: World) -> None:
    async with bot(shared_world) as client:
        known = await client.get("/rate_limit", headers={"x-github-api-version": "2022-11-28"})
        unknown = await client.get("/rate_limit", headers={"x-github-api-version": "2020-01-01"})
    assert (known.status_code, unknown.status_code) == (200, 400)
    assert len(taken(shared_world)) == 1


@pytest.mark.parametrize(("version", "status"), [("ghes-3.18", 422), ("ghes-3.19", 400)])
async def test_an_enterprise_server_knows_no_run_details(version: str, status: int) -> None:
    async with World(github=version, validate=True) as world:
        await world.github.create_repository("old", FILES)
        assert world.github.url.endswith("/api/v3")
        async with bot(world) as client:
            path = world.github.url + DISPATCHES.format("old")
            refused = await client.post(path, json={"ref": "main", "return_run_details": True})
            assert world.github.runs() == []
            started = await client.post(path, json={"ref": "main"})
        assert refused.status_code == status
        assert '"return_run_details" is not a permitted key.' in refused.json()["message"]
        assert (started.status_code, len(world.github.runs())) == (204, 1)
        assert [violation.partition(": ")[0] for violation in world.traffic.violations] == [version]


async def test_an_enterprise_server_has_its_own_paths_and_no_limits() -> None:
    async with World(github="ghes-3.19", validate=True) as world:
        name = await world.github.create_repository("paths", {"a": "1"})
        site = world.github.url.removesuffix("/api/v3")
        async with bot(world) as client:
            shown = await client.get(f"{world.github.url}/repos/{name}")
            listed = await client.get(f"{world.github.url}/orgs/contoso/repos?per_page=1")
            elsewhere = await client.get(f"{site}/repos/{name}")
            graph = await client.post(f"{site}/api/graphql", json={"query": "{viewer {login}}"})
        assert shown.json()["url"] == f"{world.github.url}/repos/{name}"
        assert shown.json()["html_url"] == f"{site}/{name}"
        assert shown.headers["x-github-enterprise-version"] == "3.19.0"
        assert "x-ratelimit-limit" not in shown.headers
        assert (listed.status_code, elsewhere.status_code) == (200, 404)
        assert graph.json() == {"data": {"viewer": {"login": "freshness-bot"}}}
        assert world.traffic.violations == []


async def test_github_com_takes_25_inputs_and_an_enterprise_server_10() -> None:
    inputs = {f"i{number}": "x" for number in range(11)}
    declared = ", ".join(f"{name}: {{}}" for name in inputs)
    workflow = {".github/workflows/rebuild.yml": f"on: {{workflow_dispatch: {{inputs: {{{declared}}}}}}}\n"}
    for server, status in (("github.com", 204), ("ghes-3.18", 422)):
        async with World(github=server) as world:
            await world.github.create_repository("inputs", workflow)
            async with bot(world) as client:
                path = world.github.url + DISPATCHES.format("inputs")
                answer = await client.post(path, json={"ref": "main", "inputs": inputs})
            assert answer.status_code == status
