"""A pull request that its maintainers have closed, and open again."""

from datetime import timedelta
from typing import Any

import pytest_asyncio

from bot.domain.reach import Reach
from bot.domain.repositories.repository import GITHUB, RepositoryId
from bot.domain.rollouts.rebuild import RebuildState
from bot.fleet.act.rows.act import ActStore
from bot.store.events import EventsStore
from bot.store.views.rollouts import RolloutViewsStore
from sandbox.fleets.fleet import ASPNET, RUNTIME_TAG
from tests.e2e.publishing import publish
from tests.e2e.staging import Stage

BASE = f"{ASPNET}:{RUNTIME_TAG}"
SHOP = "payments-api"


@pytest_asyncio.fixture
async def closed(patched: Stage) -> Stage:
    """The shop's pull request was closed, and the bot has seen that."""
    [request] = await patched.world.github.pull_requests(SHOP)
    await patched.world.github.close(SHOP, request["number"])
    await later(patched)
    assert (await patched.states())[SHOP] is RebuildState.CANCELLED
    return patched


async def later(stage: Stage, by: timedelta = timedelta(hours=1, minutes=5)) -> None:
    stage.clock.ahead += by
    await stage.run_pass()


async def reopened(stage: Stage) -> int:
    request = await the_request(stage)
    await stage.world.github.reopen(SHOP, request["number"])
    return int(request["number"])


async def the_request(stage: Stage) -> dict[str, Any]:
    """The only one that there ever was."""
    [request] = await stage.world.github.pull_requests(SHOP, "all")
    return dict(request)


async def test_it_is_followed_again_to_its_end_and_no_second_one_is_opened(closed: Stage) -> None:
    number = await reopened(closed)
    await later(closed)
    await later(closed)
    rebuild = (await closed.rebuilds())[SHOP]
    assert (rebuild.state, rebuild.pull_request) == (RebuildState.OPEN, number)
    await closed.world.github.merge(SHOP, number)
    await later(closed)
    assert (await closed.states())[SHOP] in (RebuildState.BUILDING, RebuildState.MERGED)
    assert (await the_request(closed))["number"] == number


async def test_every_surface_shows_it_open_again(closed: Stage) -> None:
    views = closed.bot.stores[RolloutViewsStore]
    await reopened(closed)
    await later(closed)
    [rollout] = await views.rollouts(5)
    assert rollout.ended_at is None
    shown = [each.state for each in await views.rebuilds_of(rollout.id) if each.repository.endswith(f"/{SHOP}")]
    assert shown == [RebuildState.OPEN]
    assert await closed.bot.stores[ActStore].open_pull_requests(f"contoso/{SHOP}") == 1


async def test_closed_ones_are_looked_at_in_the_one_request_that_looks_at_what_is_open(closed: Stage) -> None:
    await later(closed)
    asked = closed.world.traffic.requests("github", method="POST")
    assert (
        len([entry for entry in asked if "query follow" in entry.graphql and "PullRequest" in entry.graphql]) == 1
    )


async def test_an_event_has_it_looked_at_at_once(closed: Stage) -> None:
    await later(closed, timedelta(hours=12))
    await reopened(closed)
    await later(closed, timedelta(minutes=30))
    assert (await closed.states())[SHOP] is RebuildState.CANCELLED
    number = closed.world.github.edge.identities.number_of(f"contoso/{SHOP}") or 0
    shop = frozenset({RepositoryId(GITHUB, str(number))})
    assert await closed.bot.stores[EventsStore].take("github", "delivery-1", Reach(followed=shop))
    await closed.run_pass()
    assert (await closed.states())[SHOP] is RebuildState.OPEN


async def test_where_the_base_has_moved_on_the_newer_rebuild_takes_it_over(closed: Stage) -> None:
    number = await reopened(closed)
    await publish(closed, "10.0.2")
    await later(closed)
    await later(closed)
    assert closed.fleet.digests[BASE] in (await the_request(closed))["body"]
    newest = (await closed.rebuilds())[SHOP]
    assert (newest.state, newest.pull_request) == (RebuildState.OPEN, number)
    open_ones = [
        each.id
        for rollout in await closed.bot.stores[RolloutViewsStore].rollouts(5)
        for each in rollout.rebuilds
        if each.repository == newest.repository and each.state is RebuildState.OPEN
    ]
    assert open_ones == [newest.id]
