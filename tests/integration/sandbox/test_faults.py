"""What goes wrong on request, in a real connection."""

from collections.abc import AsyncIterator

import httpx
import pytest

from sandbox.edges.edge import PATIENCE
from sandbox.images import dotnet_image
from sandbox.world import World

ISSUES = "/repos/contoso/faulty/issues"


@pytest.fixture
async def github(shared_world: World) -> AsyncIterator[httpx.AsyncClient]:
    shared_world.faults.clear()
    shared_world.traffic.forget()
    if not await shared_world.github.holds("faulty"):
        await shared_world.github.create_repository("faulty", {"a": "1"})
    headers = {"authorization": f"Bearer {shared_world.github.token}"}
    async with httpx.AsyncClient(base_url=shared_world.github.url, headers=headers, timeout=PATIENCE) as client:
        yield client


async def titles(world: World) -> list[str]:
    return [row["title"] for row in await world.github.ask("GET", f"{ISSUES}?state=all")]


async def test_a_502_comes_as_often_as_asked_and_nothing_was_done(
    shared_world: World, github: httpx.AsyncClient
) -> None:
    shared_world.faults.add("POST", "/issues$", status=502, times=2)
    answers = [await github.post(ISSUES, json={"title": "only once"}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [502, 502, 201]
    assert (await titles(shared_world)).count("only once") == 1


async def test_a_secondary_limit_says_when_to_come_back(shared_world: World, github: httpx.AsyncClient) -> None:
    shared_world.faults.add_secondary_limit("POST", "/issues$", retry_after=7)
    answer = await github.post(ISSUES, json={"title": "slow down"})
    assert (answer.status_code, answer.headers["retry-after"]) == (403, "7")
    assert "secondary rate limit" in answer.json()["message"]


async def test_a_connection_lost_before_the_write_leaves_nothing(
    shared_world: World, github: httpx.AsyncClient
) -> None:
    shared_world.faults.add("POST", "/issues$", drop=True)
    with pytest.raises(httpx.RemoteProtocolError):
        await github.post(ISSUES, json={"title": "lost before"})
    assert "lost before" not in await titles(shared_world)
    assert [entry.status for entry in shared_world.traffic.writes()] == [None]


async def test_a_connection_lost_after_the_write_leaves_the_write(
    shared_world: World, github: httpx.AsyncClient
) -> None:
    shared_world.faults.add("POST", "/issues$", drop=True, applied=True)
    with pytest.raises(httpx.RemoteProtocolError):
        await github.post(ISSUES, json={"title": "lost after"})
    assert "lost after" in await titles(shared_world)


async def test_an_answer_can_be_late_or_replaced_after_the_fact(
    shared_world: World, github: httpx.AsyncClient
) -> None:
    shared_world.faults.add("POST", "/issues$", status=500, body="{}", applied=True)
    answer = await github.post(ISSUES, json={"title": "done, but"})
    assert answer.status_code == 500
    assert "done, but" in await titles(shared_world)
    shared_world.faults.add("GET", "/issues$", delay=1)
    with pytest.raises(httpx.ReadTimeout):
        await github.get(ISSUES, timeout=0.2)


async def test_registries_slack_and_feeds_fail_the_same_way(shared_world: World, github: httpx.AsyncClient) -> None:
    await shared_world.registry.push("dotnet/aspnet", "8.0-faults", dotnet_image("aspnet", "8.0.22"))
    targets = {
        "registry": f"http://{shared_world.registry.host}/v2/dotnet/aspnet/manifests/8.0-faults",
        "feeds": shared_world.feeds.addresses["dotnet_releases"],
        "slack": f"{shared_world.slack.url}/api/conversations.list",
    }
    for service, url in targets.items():
        shared_world.faults.add(None, "", service=service, status=503, headers={"retry-after": "30"})
        assert (await github.get(url)).status_code == 503
        assert (await github.get(url)).status_code != 503
