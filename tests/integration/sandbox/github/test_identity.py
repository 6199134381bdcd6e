"""Repositories keep their number and node id when they are renamed or move to another owner."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from sandbox.edges.edge import PATIENCE
from sandbox.world import World


@pytest_asyncio.fixture
async def github(shared_world: World) -> AsyncIterator[httpx.AsyncClient]:
    shared_world.traffic.forget()
    headers = {"authorization": f"Bearer {shared_world.github.token}"}
    async with httpx.AsyncClient(base_url=shared_world.github.url, headers=headers, timeout=PATIENCE) as client:
        yield client


async def renamed(world: World, old: str, new: str) -> tuple[int, str]:
    """A repository that was renamed: its number and node id, as they were before."""
    await world.github.create_repository(old, {"a": "1"})
    before = await world.github.ask("GET", f"/repos/contoso/{old}")
    await world.github.rename(old, new)
    return before["id"], before["node_id"]


async def test_a_former_name_leads_on_without_losing_the_query(
    shared_world: World, github: httpx.AsyncClient
) -> None:
    number, node_id = await renamed(shared_world, "was-1", "is-1")
    answer = await github.get("/repos/contoso/was-1/pulls?state=all")
    there = f"{shared_world.github.url}/repositories/{number}/pulls?state=all"
    assert (answer.status_code, answer.headers["location"]) == (301, there)
    assert answer.json()["message"] == "Moved Permanently"
    assert answer.json()["url"] == there
    assert (await github.get(there)).status_code == 200
    shown = (await github.get("/repos/contoso/is-1")).json()
    assert (shown["id"], shown["node_id"]) == (number, node_id)


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
async def test_a_write_under_a_former_name_is_to_be_repeated(
    shared_world: World, github: httpx.AsyncClient, method: str
) -> None:
    number, _ = await renamed(shared_world, f"was-{method}", f"is-{method}")
    answer = await github.request(method, f"/repos/contoso/was-{method}/issues", json={"title": "t"})
    assert answer.status_code == 307
    assert answer.headers["location"].endswith(f"/repositories/{number}/issues")
    assert await shared_world.github.ask("GET", f"/repos/contoso/is-{method}/issues?state=all") == []


async def test_names_are_the_same_in_any_spelling(shared_world: World, github: httpx.AsyncClient) -> None:
    await shared_world.github.create_repository("MixedCase", {"src/a b": "1"})
    assert (await github.get("/repos/Contoso/mixedcase")).json()["full_name"] == "contoso/MixedCase"
    assert (await github.get("/repos/CONTOSO/MIXEDCASE/contents/src/a%20b")).status_code == 200


async def test_a_former_name_that_is_used_again_belongs_to_the_new_repository(
    shared_world: World, github: httpx.AsyncClient
) -> None:
    number, _ = await renamed(shared_world, "was-2", "is-2")
    await shared_world.github.create_repository("was-2", {"a": "1"})
    shown = (await github.get("/repos/contoso/was-2")).json()
    assert shown["full_name"] == "contoso/was-2"
    assert shown["id"] != number


async def test_graphql_follows_a_former_name_unless_it_is_told_not_to(
    shared_world: World, github: httpx.AsyncClient
) -> None:
    _, node_id = await renamed(shared_world, "was-3", "is-3")
    query = """{a: repository(owner: "contoso", name: "was-3") {id nameWithOwner}
        b: repository(owner: "contoso", name: "was-3", followRenames: false) {id}}"""
    answer = (await github.post("/graphql", json={"query": query})).json()
    assert answer["data"] == {"a": {"id": node_id, "nameWithOwner": "contoso/is-3"}, "b": None}


async def test_pull_requests_and_runs_move_with_their_repository(
    shared_world: World, github: httpx.AsyncClient
) -> None:
    files = {".github/workflows/ci.yml": "on: workflow_dispatch\n", "a": "1"}
    await shared_world.github.create_repository("was-4", files)
    await shared_world.github.branch("was-4", "x")
    await shared_world.github.push("was-4", {"a": "2"}, branch="x")
    pull = await shared_world.github.ask(
        "POST", "/repos/contoso/was-4/pulls", {"title": "t", "head": "x", "base": "main"}
    )
    await shared_world.github.ask(
        "POST", "/repos/contoso/was-4/actions/workflows/ci.yml/dispatches", {"ref": "main"}
    )
    [run] = shared_world.github.runs("was-4")
    await shared_world.github.rename("was-4", "is-4")
    listed = (await github.get("/repos/contoso/is-4/actions/runs")).json()["workflow_runs"]
    assert [row["id"] for row in listed] == [run.id]
    assert listed[0]["repository"]["full_name"] == "contoso/is-4"
    query = """query($ids: [ID!]!) {nodes(ids: $ids) {
        ... on PullRequest {number repository {name}} ... on CheckSuite {status}}}"""
    variables = {"ids": [pull["node_id"], run.suite_node_id]}
    answer = (await github.post("/graphql", json={"query": query, "variables": variables})).json()
    assert answer["data"]["nodes"] == [{"number": 1, "repository": {"name": "is-4"}}, {"status": "QUEUED"}]


async def test_a_repository_moves_to_another_organisation() -> None:
    async with World(organisations=("contoso", "fabrikam"), validate=True) as world:
        await world.github.create_repository("moving", {"a": "1"})
        before = await world.github.ask("GET", "/repos/contoso/moving")
        await world.github.transfer("moving", "fabrikam")
        after = await world.github.ask("GET", "/repos/fabrikam/moving")
        assert (after["id"], after["node_id"]) == (before["id"], before["node_id"])
        headers = {"authorization": f"Bearer {world.github.token}"}
        async with httpx.AsyncClient(base_url=world.github.url, headers=headers, timeout=PATIENCE) as client:
            assert (await client.get("/repos/contoso/moving")).status_code == 301


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"archived": True}, "Repository was archived so is read-only."),
        ({"disabled": True}, "Repository access blocked"),
        ({"lock_reason": "MIGRATING"}, "Repository has been locked."),
    ],
)
async def test_a_repository_that_cannot_be_written_refuses_it(
    shared_world: World, github: httpx.AsyncClient, flags: dict[str, object], message: str
) -> None:
    name = f"closed-{next(iter(flags))}"
    await shared_world.github.create_repository(name, {"a": "1"}, **flags)
    answer = await github.post(f"/repos/contoso/{name}/issues", json={"title": "t"})
    assert (answer.status_code, answer.json()["message"]) == (403, message)
    assert (await github.get(f"/repos/contoso/{name}")).status_code == 200
