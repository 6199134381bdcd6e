"""Secondary limits, which GitHub tells of only by refusing."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import pytest_asyncio

from bot.domain.clock import ManualClock
from sandbox.edges.edge import PATIENCE
from sandbox.github.access.limits import Limits
from sandbox.github.refusals import Refused
from sandbox.world import World

COMMENT = """mutation($id: ID!) {a: addComment(input: {subjectId: $id, body: "x"}) {subject {id}}
    b: closeIssue(input: {issueId: $id}) {issue {state}}}"""


class Stage:
    def __init__(self, world: World, clock: ManualClock, client: httpx.AsyncClient) -> None:
        self.world, self.clock, self.client = world, clock, client

    async def issue(self) -> httpx.Response:
        return await self.client.post("/repos/contoso/limited/issues", json={"title": "t"})


@pytest_asyncio.fixture
async def stage() -> AsyncIterator[Stage]:
    clock = ManualClock(datetime(2026, 1, 13, 18, tzinfo=UTC))
    async with World(clock=clock) as world:
        world.github.edge.limits.secondary = True
        await world.github.create_repository("limited", {"a": "1"})
        headers = {"authorization": f"Bearer {world.github.token}"}
        async with httpx.AsyncClient(base_url=world.github.url, headers=headers, timeout=PATIENCE) as client:
            yield Stage(world, clock, client)


async def test_eighty_contents_a_minute_and_no_more(stage: Stage) -> None:
    answers = [(await stage.issue()).status_code for _ in range(80)]
    assert set(answers) == {201}
    refused = await stage.issue()
    assert refused.status_code == 403
    assert "temporarily blocked from content creation" in refused.json()["message"]
    assert int(refused.headers["x-ratelimit-remaining"]) > 0
    assert len(stage.world.github.edge.limits.broken) == 1
    stage.clock.advance(timedelta(seconds=61))
    assert (await stage.issue()).status_code == 201


async def test_graphql_says_too_quickly_and_goes_on_with_the_rest(stage: Stage) -> None:
    issue = (await stage.issue()).json()["node_id"]
    for _ in range(79):
        await stage.issue()
    answer = await stage.client.post("/graphql", json={"query": COMMENT, "variables": {"id": issue}})
    assert answer.status_code == 200
    [error] = answer.json()["errors"]
    assert (error["type"], error["path"], error["message"]) == ("UNPROCESSABLE", ["a"], "was submitted too quickly")
    assert answer.json()["data"]["b"] == {"issue": {"state": "CLOSED"}}


async def test_reading_and_moving_branches_is_no_content(stage: Stage) -> None:
    for _ in range(100):
        assert (await stage.client.get("/repos/contoso/limited")).status_code == 200
    label = {"name": "a", "color": "ededed"}
    assert (await stage.client.post("/repos/contoso/limited/labels", json=label)).status_code == 201
    for _ in range(78):
        await stage.issue()
    assert (await stage.issue()).status_code == 201


def test_points_of_a_minute_are_counted_and_a_write_costs_five() -> None:
    clock = ManualClock(datetime(2026, 1, 13, 18, tzinfo=UTC))
    limits = Limits(clock, secondary=True)

    def ask(points: int) -> None:
        with limits.request("a", "core", points):
            pass

    for _ in range(180):
        ask(5)
    with pytest.raises(Refused, match="secondary rate limit"):
        ask(1)
    clock.advance(timedelta(minutes=1))
    ask(1)


def test_five_hundred_contents_an_hour_for_each_account() -> None:
    clock = ManualClock(datetime(2026, 1, 13, 18, tzinfo=UTC))
    limits = Limits(clock, secondary=True)
    for _ in range(500):
        limits.create_content("a")
        clock.advance(timedelta(seconds=5))
    with pytest.raises(Refused, match="content creation"):
        limits.create_content("a")
    limits.create_content("b")
