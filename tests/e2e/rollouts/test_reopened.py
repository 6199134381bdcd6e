"""A pull request that its maintainers have closed, and open again."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest_asyncio

from bot.domain.reach import Reach
from bot.domain.rollouts.rebuild import RebuildState
from tests.e2e.publishing import publish
from tests.e2e.rollouts.test_pull_requests import BASE, SHOP, Stages, the_request
from tests.e2e.rollouts.test_pull_requests import stages as stages
from tests.e2e.staging import Stage


@pytest_asyncio.fixture
async def closed(stages: Stages) -> AsyncIterator[Stage]:
    """The shop's pull request was closed, and the bot has seen that."""
    stage = await stages()
    await publish(stage, "10.0.1")
    await stage.run_pass()
    await stage.world.github.close(SHOP, (await the_request(stage))["number"])
    await later(stage)
    assert await stage.states() == {SHOP: RebuildState.CANCELLED}
    yield stage


async def later(stage: Stage, by: timedelta = timedelta(hours=1, minutes=5)) -> None:
    stage.clock.ahead += by
    await stage.run_pass()


async def reopened(stage: Stage) -> dict[str, Any]:
    request = await the_request(stage, "closed")
    await stage.world.github.reopen(SHOP, request["number"])
    return request


def follow_requests(stage: Stage) -> list[str]:
    asked = stage.world.traffic.requests("github", method="POST")
    return [entry.graphql for entry in asked if entry.graphql.startswith("query follow")]


async def test_it_is_followed_again_to_its_end_and_no_second_one_is_opened(closed: Stage) -> None:
    request = await reopened(closed)
    await later(closed)
    await later(closed)
    [rebuild] = (await closed.rebuilds()).values()
    assert (rebuild.state, rebuild.pull_request) == (RebuildState.OPEN, request["number"])
    await closed.world.github.merge(SHOP, request["number"])
    await later(closed)
    assert (await closed.states())[SHOP] is RebuildState.MERGED, "nothing has built it within the hour"
    assert len(await closed.world.github.pull_requests(SHOP, "all")) == 1


async def test_every_surface_shows_it_open_again(closed: Stage) -> None:
    stores = closed.bot.stores
    [before] = await stores.rollout_views.rollouts(5)
    assert before.ended_at is not None
    await reopened(closed)
    await later(closed)
    [rollout] = await stores.rollout_views.rollouts(5)
    [rebuild] = rollout.rebuilds
    assert (rollout.ended_at, rebuild.state) == (None, RebuildState.OPEN)
    assert [each.state for each in await stores.rollout_views.rebuilds_of(rollout.id)] == [RebuildState.OPEN]
    assert await stores.act.open_pull_requests(f"contoso/{SHOP}") == 1
    [message] = await closed.world.slack.messages()
    assert message["text"].endswith("1 repository on 1 base: 1 open")


async def test_closed_ones_are_looked_at_in_the_one_request_that_looks_at_all(closed: Stage) -> None:
    await later(closed)
    assert len(follow_requests(closed)) == 1


async def test_an_event_has_it_looked_at_at_once(closed: Stage) -> None:
    await later(closed, timedelta(hours=12))
    await reopened(closed)
    await later(closed, timedelta(minutes=30))
    assert (await closed.states())[SHOP] is RebuildState.CANCELLED
    number = closed.world.github.edge.identities.number_of(f"contoso/{SHOP}") or 0
    assert await told_of_event(closed, number)
    await closed.run_pass()
    assert (await closed.states())[SHOP] is RebuildState.OPEN


async def told_of_event(stage: Stage, number: int) -> bool:
    return await stage.bot.stores.events.take("github", "delivery-1", Reach(followed=frozenset({number})))


async def test_where_the_base_has_moved_on_the_newer_rebuild_takes_it_over(closed: Stage) -> None:
    request = await reopened(closed)
    await publish(closed, "10.0.2")
    await later(closed)
    await later(closed)
    [open_one] = await closed.world.github.pull_requests(SHOP)
    assert open_one["number"] == request["number"]
    assert closed.fleet.digests[BASE] in open_one["body"]
    assert len(await closed.world.github.pull_requests(SHOP, "all")) == 1
    newest = (await closed.rebuilds())[SHOP]
    assert (newest.state, newest.pull_request) == (RebuildState.OPEN, request["number"])
    older = (await closed.bot.stores.rollout_views.rollouts(5))[-1].rebuilds
    assert {each.state for each in older} <= {RebuildState.CANCELLED, RebuildState.SUPERSEDED}
