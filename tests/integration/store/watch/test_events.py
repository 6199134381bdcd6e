"""Events make rows due earlier, once each, and never what rests or is worked on."""

from datetime import timedelta

import pytest
from sqlalchemy import String, cast, select, update

from bot.domain.reach import PushedTag, Reach
from bot.domain.repositories.repository import GITHUB, Repository, RepositoryId
from bot.domain.rollouts.rebuild import RebuildState
from bot.store.rows.bases.tables import bases
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.rollouts.tables import rebuilds
from bot.store.rows.tables import deliveries, tasks
from tests.integration.store.filling import ASPNET, HOUR, SDK, Stores

SHOP = Repository("contoso/shop-0000", "main", id="7")
SEVENTH = frozenset({RepositoryId(GITHUB, "7")})
TAG = PushedTag(ASPNET.repository, ASPNET.tag)


@pytest.fixture(autouse=True)
async def filled(stores: Stores) -> None:
    """Everything is due in an hour."""
    await stores.fill(2, (ASPNET, SDK))
    await stores.plan_all()
    later = stores.clock.now() + HOUR
    async with stores.database.transaction() as connection:
        await connection.execute(update(repositories).values(forge_id=cast(repositories.c.id + 6, String)))
        await connection.execute(update(rebuilds).values(state=RebuildState.OPEN.value))
        for table in (tasks, repositories, bases, rebuilds):
            await connection.execute(
                update(table).values(due_at=later, attempts=0, lease_owner=None, lease_until=None)
            )


async def due(stores: Stores) -> dict[str, int]:
    found = {}
    async with stores.database.reading() as connection:
        for table in (tasks, repositories, bases, rebuilds):
            rows = await connection.execute(select(table.c.id).where(table.c.due_at <= stores.clock.now()))
            if number := len(rows.all()):
                found[table.name] = number
    return found


@pytest.mark.parametrize(
    ("reach", "expected"),
    [
        (Reach(), {}),
        (Reach(fleet=True), {"tasks": 1}),
        (Reach(moved_branches=SEVENTH), {"repositories": 1}),
        (Reach(followed=frozenset({*SEVENTH, RepositoryId(GITHUB, "8")})), {"rebuilds": 2}),
        (Reach(followed=frozenset({RepositoryId(GITHUB, "999")})), {}),
        (Reach(followed=frozenset({RepositoryId("azure-devops", "7")})), {}),
        (Reach(followed=frozenset({*SEVENTH, RepositoryId("azure-devops", "8")})), {"rebuilds": 1}),
        (Reach(pushed=(TAG,)), {"bases": 1}),
        (Reach(pushed=(PushedTag(ASPNET.repository), PushedTag("none"))), {"bases": 1}),
    ],
)
async def test_what_it_concerns_is_due(stores: Stores, reach: Reach, expected: dict[str, int]) -> None:
    assert await stores.events.take("github", "delivery-1", reach)
    assert await due(stores) == expected


async def test_a_repeated_event_counts_no_more(stores: Stores) -> None:
    assert await stores.events.take("github", "delivery-1", Reach())
    assert not await stores.events.take("github", "delivery-1", Reach(fleet=True))
    assert await stores.events.take("registry", "delivery-1", Reach())
    assert await due(stores) == {}


async def test_what_rests_after_a_failure_goes_on_resting(stores: Stores) -> None:
    async with stores.database.transaction() as connection:
        await connection.execute(update(bases).values(attempts=2))
    await stores.events.take("registry", "delivery-1", Reach(pushed=(TAG,)))
    assert await due(stores) == {}


async def test_what_somebody_works_on_is_left_alone(stores: Stores) -> None:
    async with stores.database.transaction() as connection:
        await connection.execute(update(rebuilds).values(lease_owner="second"))
    await stores.events.take("github", "delivery-1", Reach(followed=SEVENTH))
    assert await due(stores) == {}


async def test_a_rebuild_that_is_not_followed_is_left_alone(stores: Stores) -> None:
    async with stores.database.transaction() as connection:
        await connection.execute(update(rebuilds).values(state=RebuildState.PLANNED.value))
    await stores.events.take("github", "delivery-1", Reach(followed=SEVENTH))
    assert await due(stores) == {}


async def test_deliveries_are_remembered_for_three_days(stores: Stores) -> None:
    await stores.events.take("github", "delivery-1", Reach())
    stores.clock.advance(timedelta(days=4))
    await stores.events.take("github", "delivery-2", Reach())
    async with stores.database.reading() as connection:
        assert (await connection.execute(select(deliveries.c.delivery))).scalars().all() == ["delivery-2"]
