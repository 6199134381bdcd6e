"""What is called off on both databases: delayed by faults of the world, and told to people until it goes on."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from bot.domain.failure import Failure, Trouble
from bot.domain.forge.pull_requests import PullRequest
from bot.domain.rollouts.journal import Word
from bot.fleet.act.calling_off import tick as calling_off
from bot.fleet.act.ports import ActOptions
from bot.reconcile.loop import Loop
from bot.store.rows.rollouts.tables import rebuilds
from tests.fakes.forge import FakeForge
from tests.integration.store.filling import Stores
from tests.integration.store.moving import moves_again, open_incidents, opened
from tests.unit.fleet.follow.world import OPEN

SHOP, BRANCH = "contoso/shop-0000", "freshness/dotnet-aspnet-10.0"
ANN = Word("Ann", "it is not needed")


@pytest.fixture
async def forge(stores: Stores) -> FakeForge:
    """A pull request that the bot has set to merge by itself, and whose rollout Ann has cancelled."""
    await stores.fill()
    await stores.plan_all()
    await opened(stores, 1)
    forge = FakeForge(stores.clock)
    home = forge.add(SHOP, {"README.md": b""})
    home.commit_to(BRANCH, {"Dockerfile": b"FROM new"})
    home.requests[1] = replace(OPEN, branch=BRANCH, is_to_merge=True, is_to_merge_by_us=True)
    async with stores.database.transaction() as connection:
        await connection.execute(update(rebuilds).values(branch=BRANCH))
    await stores.orders.cancel(1, ANN, keep=False)
    return forge


def shown(forge: FakeForge) -> PullRequest:
    return forge.homes[0].requests[1]


async def passes(stores: Stores, forge: FakeForge, days: float, every: int = 1) -> None:
    """A pass each hour, or so many hours."""
    for _ in range(int(days * 24 / every)):
        await calling_off.tick(stores.calling_off, forge, ActOptions(), Loop(stores.clock))
        await stores.act.notice_delays()
        stores.clock.advance(timedelta(hours=every))


async def test_an_outage_delays_it_is_told_once_calls_a_person_after_a_day_and_is_over_by_itself(
    stores: Stores, forge: FakeForge
) -> None:
    forge.failing = dict.fromkeys(("look", "close_pull_request"), Failure(Trouble.UNREACHABLE, "no answer"))
    await passes(stores, forge, 0.5)
    told = "1 rebuild cannot go on; contoso/shop-0000: no answer"
    assert await open_incidents(stores) == {"delayed:contoso": told}
    await passes(stores, forge, 29, every=12)
    assert await open_incidents(stores) == {
        "delayed:contoso": told,
        "stuck:contoso": f"for a day and longer: {told}",
    }
    assert await stores.states() == ["open"]
    forge.failing.clear()
    await passes(stores, forge, 2, every=12)
    assert (await stores.states(), shown(forge).is_open) == (["cancelled"], False)
    assert await open_incidents(stores) == {}


async def test_what_goes_on_to_merge_is_told_with_why_and_is_not_done(stores: Stores, forge: FakeForge) -> None:
    forge.homes[0].edit(1, base="release")
    forge.goes_on_merging = True
    await passes(stores, forge, 4, every=3)
    assert await stores.states() == ["open"]
    told = (await open_incidents(stores))["stuck:contoso"]
    assert "contoso/shop-0000: pull request #1 goes on to merge by itself (Something went wrong)" in told
    forge.goes_on_merging = False
    await passes(stores, forge, 2, every=12)
    assert (await stores.states(), shown(forge).is_to_merge) == (["cancelled"], False)


async def test_refusals_that_acting_has_met_do_not_count_towards_its_end(stores: Stores, forge: FakeForge) -> None:
    async with stores.database.transaction() as connection:
        await connection.execute(update(rebuilds).values(call_off=None, refusals=7))
    await stores.orders.cancel(1, ANN, keep=False)
    forge.failing["close_pull_request"] = Failure(Trouble.CONFLICT, "not for you")
    await calling_off.tick(stores.calling_off, forge, ActOptions(), Loop(stores.clock))
    assert await stores.states() == ["open"]


async def test_who_retires_is_told_which_pull_requests_are_the_bots(stores: Stores) -> None:
    await stores.fill(repositories=2)
    await stores.plan_all()
    await opened(stores, 7)
    async with stores.database.transaction() as connection:
        await connection.execute(update(rebuilds).values(attempted_at=stores.clock.now()))
    await moves_again(stores)
    await stores.plan_all()
    await opened(stores, 8)
    assert [(each.branches, each.requests) for each in await stores.leaving.traces()] == [((BRANCH,), (7, 8))] * 2
