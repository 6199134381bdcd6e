"""GitHub does not show at once what it has just made, and computes in the background what it shows of it."""

from collections.abc import Iterator

import pytest

from bot.clients.forges.github.pull_requests import granting
from bot.domain.rollouts.rebuild import RebuildState
from sandbox.world import World as Sandbox
from tests.integration.act.rebuilds import add, asked, made
from tests.unit.fleet.act.world import BRANCH, World, reference


@pytest.fixture(autouse=True)
def late(shared_world: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(granting, "PAUSES", (0.0, 0.0, 0.0))
    shared_world.github.requests.shows_late, shared_world.github.requests.computes_late = 2, True
    yield
    shared_world.github.requests.shows_late, shared_world.github.requests.computes_late = 0, False
    shared_world.github.requests.hidden.clear()


async def test_a_pull_request_that_is_not_found_yet_gets_its_label_and_reviewers(
    shared_world: Sandbox, world: World
) -> None:
    """Reviews are asked for once only, when it is opened: refused then, they would never be."""
    home = await made(shared_world, asks="owners: [operator]\n")
    add(world, home)
    await world.tick()
    assert world.store[1].reason == "aspnet:10.0 moved; 10.0 is pinned by digest"
    (shown,) = await shared_world.github.pull_requests(home.name)
    assert [person["login"] for person in shown["requested_reviewers"]] == ["operator"]
    assert [label["name"] for label in shown["labels"]] == ["freshness"]


async def test_one_that_is_not_listed_yet_is_not_opened_a_second_time(shared_world: Sandbox, world: World) -> None:
    """As after a crash right behind the request that opened it."""
    home = await made(shared_world)
    shared_world.faults.add("POST", "createPullRequest", drop=True, applied=True)
    add(world, home)
    await world.tick()
    await world.later()
    shared_world.github.requests.hidden.clear()
    await world.later()
    assert world.store[1].state is RebuildState.OPEN
    assert len(await shared_world.github.pull_requests(home.name, "all")) == 1
    assert asked(shared_world)


@pytest.mark.parametrize("goes_on", [False, True], ids=["as it was", "the default branch goes on"])
async def test_a_look_that_shows_what_was_before_writes_over_nothing(
    shared_world: Sandbox, world: World, goes_on: bool
) -> None:
    home = await made(shared_world)
    shared_world.github.refs.lag.looks = 1
    add(world, home)
    await world.tick()
    if goes_on:
        await shared_world.github.push(home.name, {"README.md": "more\n"})
    shared_world.github.requests.hidden.clear()
    add(world, home, 2, "c", pull_request=world.store[1].pull_request)
    await world.tick()
    assert world.store[2].state is RebuildState.WAITING
    assert await shared_world.github.read(home.name, "Dockerfile", BRANCH) == f"FROM {reference('b')}\n"
    shared_world.github.refs.lag.looks = 0
    await world.later()
    assert world.store[2].state is RebuildState.OPEN
    assert await shared_world.github.read(home.name, "Dockerfile", BRANCH) == f"FROM {reference('c')}\n"
    assert len(await shared_world.github.pull_requests(home.name, "all")) == 1
