"""A column that holds what nobody can read fails its own row, and none besides."""

import pytest
from sqlalchemy import Table, text

from bot.domain.change import Cause
from bot.domain.failure import Failure
from bot.domain.repository import Repository
from bot.store.rows.tables import (
    advisories,
    changes,
    notices,
    observations,
    rebuilds,
    releases,
    repositories,
    usages,
)
from tests.integration.store.filling import ASPNET, SDK, Stores, change_of
from tests.integration.store.test_assess import feed_changes, moves_again_unassessed, reassessable


async def break_column(stores: Stores, table: Table, column: str, *, where: str = "id = 1") -> None:
    """JSON of another shape; on SQLite, which takes any text, none at all."""
    broken = '{"half": ' if stores.database.engine.dialect.name == "sqlite" else "[7]"
    async with stores.database.transaction() as connection:
        statement = text(f"UPDATE {table.name} SET {column} = :broken WHERE {where}")
        await connection.execute(statement, {"broken": broken})


async def test_an_observation(stores: Stores) -> None:
    await stores.fill(bases=(ASPNET, SDK))
    stores.clock.advance(stores.worker.lease * 6)
    await stores.see({ASPNET: "c", SDK: "c"})
    await break_column(stores, observations, "observation", where="id = 5")
    (pair,) = await stores.assess.unassessed(10)
    assert pair.id == 6
    assert len((await stores.views.observations_of("aspnet:10.0"))[ASPNET]) + 1 == 3
    assert len([seen async for seen in stores.history.observations()]) == 5


async def test_a_change(stores: Stores) -> None:
    await stores.fill(bases=(ASPNET, SDK))
    await feed_changes(stores)
    await break_column(stores, changes, "change")
    assert [move.id for move in await stores.plan.unplanned()] == [2]
    assert [move.id for move in await reassessable(stores)] == [2]
    await stores.plan_all()
    assert [len(rollout.bases) for rollout in await stores.plan.open_rollouts()] == [1]
    assert len((await stores.report.rollout(1)).changes) == 1


async def test_a_rebuild(stores: Stores) -> None:
    await stores.fill(repositories=2)
    await stores.plan_all()
    await break_column(stores, rebuilds, "targets")
    assert [rebuild.id for rebuild in await stores.plan.open_rebuilds()] == [2]
    assert [rebuild.id for rebuild in (await stores.views.status()).rebuilds] == [2]
    await feed_changes(stores)
    (move,) = await reassessable(stores)
    await stores.assess.save_reassessed([move.id], [move], await stores.assess.feeds_revision())
    assert await stores.column(rebuilds, "facts_version") == [0, 1]


@pytest.mark.parametrize("column", ["config", "workflows"])
async def test_a_repository(stores: Stores, column: str) -> None:
    await stores.fill(repositories=2)
    await break_column(stores, repositories, column)
    assert [item.member.id for item in (await stores.plan.affected([1]))[1]] == [2]
    if column == "config":
        with pytest.raises(Failure, match="cannot be read"):
            await stores.views.explain("contoso/shop-0000")


async def test_a_usage(stores: Stores) -> None:
    await stores.fill(repositories=2)
    await break_column(stores, usages, "usage")
    assert [item.member.id for item in (await stores.plan.affected([1]))[1]] == [2]
    assert (await stores.views.explain("contoso/shop-0000")).usages == ()


async def test_a_release(stores: Stores) -> None:
    for _ in range(2):
        await feed_changes(stores)
        stores.clock.advance(stores.worker.lease * 6)
    await break_column(stores, releases, "release", where="version = '10.0.1201'")
    assert list(await stores.feeds.known_releases()) == ["10.0.1302"]
    assert [release.version for release in await stores.history.releases()] == ["10.0.1302"]
    assert len(await stores.watch.newest_releases()) == 1


async def test_an_advisory(stores: Stores) -> None:
    async with stores.database.transaction() as connection:
        await connection.execute(advisories.insert().values(source="msrc", cve="CVE-2026-1", advisory={"odd": 1}))
    assert await stores.feeds.advisories() == []


async def test_a_notice(stores: Stores) -> None:
    await stores.fill()
    values = {
        "topic": "end-of-life",
        "base_id": 1,
        "since": stores.clock.now(),
        "text": "ends",
        "toward": {"odd": 1},
    }
    async with stores.database.transaction() as connection:
        await connection.execute(notices.insert().values(**values, opened_at=stores.clock.now()))
    assert (await stores.views.status()).notices == ()


async def test_what_is_well_is_assessed_and_listed_all_the_same(stores: Stores) -> None:
    await stores.fill()
    await moves_again_unassessed(stores)
    (pair,) = await stores.assess.unassessed(10)
    await stores.assess.save_changes([(pair, change_of(pair, Cause.OS_UPDATE))], 0)
    await break_column(stores, changes, "change")
    assert [change.cause for change in await stores.views.changes_of("aspnet:10.0")] == [Cause.OS_UPDATE]
    await stores.listing(Repository("contoso/other", "main"))
