"""A column that holds what nobody can read fails its own row, and none besides."""

import zlib
from typing import Any

import pytest
from sqlalchemy import Table, text

from bot.domain.bases.change import Cause
from bot.domain.failure import Failure
from bot.domain.feeds.document import FeedKind, FeedSource, StoredDocument
from bot.domain.reference import Base
from bot.domain.repositories.repository import Reading, Repository
from bot.fleet.watch.feeds.tick import FeedReading
from bot.store.rows.bases.tables import advisories, changes, manifests, notices, observations, releases
from bot.store.rows.repositories.blobs import blobs_of
from bot.store.rows.repositories.tables import blobs, repositories, usages
from bot.store.rows.rollouts.served import unserved
from bot.store.rows.rollouts.tables import rebuilds
from tests.integration.store.assessing import feed_changes, moves_again_unassessed, reassessable
from tests.integration.store.conftest import NOON
from tests.integration.store.filling import ASPNET, HOUR, SDK, Stores, change_of, digest, usage_of


async def break_column(stores: Stores, table: Table, column: str, *, where: str = "id = 1") -> None:
    """JSON of another shape; on SQLite, which takes any text, none at all."""
    broken = '{"half": ' if stores.database.engine.dialect.name == "sqlite" else "[7]"
    async with stores.database.transaction() as connection:
        statement = text(f"UPDATE {table.name} SET {column} = :broken WHERE {where}")
        await connection.execute(statement, {"broken": broken})


async def test_an_observation_that_cannot_be_read_is_left_out(stores: Stores) -> None:
    await stores.fill(bases=(ASPNET, SDK))
    stores.clock.advance(stores.worker.lease * 6)
    await stores.see({ASPNET: "c", SDK: "c"})
    await break_column(stores, observations, "observation", where="id = 5")
    (pair,) = await stores.assess.unassessed(10)
    assert pair.id == 6
    assert len((await stores.base_views.observations_of("aspnet:10.0"))[ASPNET]) + 1 == 3
    assert len([seen async for seen in stores.history.observations()]) == 5


async def test_a_change_that_cannot_be_read_is_left_out(stores: Stores) -> None:
    await stores.fill(bases=(ASPNET, SDK))
    await feed_changes(stores)
    await break_column(stores, changes, "change")
    assert [move.id for move in await stores.plan.unplanned()] == [2]
    assert [move.id for move in await reassessable(stores)] == [2]
    await stores.plan_all()
    assert [len(rollout.bases) for rollout in await stores.plan.open_rollouts()] == [1]
    assert len((await stores.report.rollout(1)).changes) == 1


async def test_a_rebuild_that_cannot_be_read_is_left_out(stores: Stores) -> None:
    await stores.fill(repositories=2)
    await stores.plan_all()
    await break_column(stores, rebuilds, "targets")
    assert [rebuild.id for rebuild in await stores.plan.open_rebuilds()] == [2]
    assert [rebuild.id for rebuild in (await stores.fleet_views.status()).rebuilds] == [2]
    await feed_changes(stores)
    (move,) = await reassessable(stores)
    await stores.assess.save_reassessed([move.id], [move], await stores.assess.feeds_revision())
    assert await stores.column(rebuilds, "facts_version") == [0, 1]


@pytest.mark.parametrize("column", ["config", "workflows"])
async def test_a_repository_that_cannot_be_read_is_left_out(stores: Stores, column: str) -> None:
    await stores.fill(repositories=2)
    await break_column(stores, repositories, column)
    assert [item.member.id for item in (await stores.plan.affected([1]))[1]] == [2]
    if column == "config":
        with pytest.raises(Failure, match="cannot be read"):
            await stores.repository_views.explain("contoso/shop-0000")


async def test_a_usage_that_cannot_be_read_is_left_out(stores: Stores) -> None:
    await stores.fill(repositories=2)
    await break_column(stores, usages, "usage")
    assert [item.member.id for item in (await stores.plan.affected([1]))[1]] == [2]
    assert (await stores.repository_views.explain("contoso/shop-0000")).usages == ()


async def test_a_release_that_cannot_be_read_is_left_out(stores: Stores) -> None:
    for _ in range(2):
        await feed_changes(stores)
        stores.clock.advance(stores.worker.lease * 6)
    await break_column(stores, releases, "release", where="version = '10.0.1201'")
    assert list(await stores.feeds.known_releases()) == ["10.0.1302"]
    assert [release.version for release in await stores.history.releases()] == ["10.0.1302"]
    assert len(await stores.watch.newest_releases()) == 1


async def test_an_advisory_that_cannot_be_read_is_left_out(stores: Stores) -> None:
    async with stores.database.transaction() as connection:
        await connection.execute(advisories.insert().values(source="msrc", cve="CVE-2026-1", advisory={"odd": 1}))
    assert await stores.feeds.advisories() == []


async def test_a_notice_that_cannot_be_read_is_left_out(stores: Stores) -> None:
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
    assert (await stores.fleet_views.status()).notices == ()


async def test_what_is_well_is_assessed_and_listed_all_the_same(stores: Stores) -> None:
    await stores.fill()
    await moves_again_unassessed(stores)
    (pair,) = await stores.assess.unassessed(10)
    await stores.assess.save_changes([(pair, change_of(pair, Cause.OS_UPDATE))], 0)
    await break_column(stores, changes, "change")
    assert [change.cause for change, _ in await stores.base_views.changes_of("aspnet:10.0")] == [Cause.OS_UPDATE]
    await stores.listing(Repository("contoso/other", "main"))


async def test_a_usage_that_follows_no_base_and_cannot_be_read_is_left_out(stores: Stores) -> None:
    await stores.listing(Repository("contoso/shop", "main"))
    own = [usage_of(Base("registry.example", "team/app", str(number))) for number in (1, 2)]
    await stores.read(Reading("tree-1", tuple((usage, None) for usage in own)))
    await break_column(stores, usages, "usage")
    assert await stores.fleet_views.references_without_base() == [own[1].reference]


async def test_an_unreadable_observation_of_a_tag_that_the_inventory_speaks_of_is_left_out(stores: Stores) -> None:
    await stores.fill(bases=(ASPNET, SDK))
    await break_column(stores, observations, "observation", where="base_id = 1")
    both = frozenset((base.repository, base.tag) for base in (ASPNET, SDK))
    await keep_inventory(stores, tags_returned=both)
    assert await stores.column(observations, "sight") == ["first", "first", "moved", "moved", "inventory"]
    await keep_inventory(stores, tags_withdrawn=both)
    assert await stores.column(observations, "digest") == [digest("a")] * 2 + [digest("b")] * 3 + [None] * 2


async def test_an_unreadable_rebuild_of_a_repository_that_is_read_anew_counts_as_served(stores: Stores) -> None:
    """It counts as having served whatever it was for: a second dispatch does more harm than a missing one."""
    await stores.fill()
    await stores.plan_all()
    await break_column(stores, rebuilds, "targets")
    async with stores.database.transaction() as connection:
        assert await unserved(connection, 1, [1], NOON - HOUR) == set()


async def test_a_manifest_that_cannot_be_read_is_fetched_once_more(stores: Stores) -> None:
    kept = {"digest": digest("a"), "body": zlib.compress(b"{}"), "fetched_at": NOON}
    async with stores.database.transaction() as connection:
        await connection.execute(manifests.insert(), [kept, {**kept, "digest": digest("b"), "body": b"no zlib"}])
    assert await stores.watch.manifests([digest("a"), digest("b")]) == {digest("a"): b"{}"}


async def test_a_file_that_cannot_be_read_is_fetched_once_more(stores: Stores) -> None:
    async with stores.database.transaction() as connection:
        rows = [{"sha": "one", "body": zlib.compress(b"FROM x")}, {"sha": "two", "body": b"no zlib"}]
        await connection.execute(blobs.insert(), rows)
        assert await blobs_of(connection, ["one", "two"]) == {"one": b"FROM x"}


async def test_an_unreadable_notice_of_several_that_one_message_tells_is_left_out(stores: Stores) -> None:
    await stores.fill(bases=(ASPNET, SDK))
    told = {"since": NOON, "opened_at": NOON, "text": "ends", "toward": [], "told_with": 1}
    async with stores.database.transaction() as connection:
        rows = [{**told, "base_id": 1, "topic": "melted"}, {**told, "base_id": 2, "topic": "end-of-life"}]
        await connection.execute(notices.insert(), rows)
    assert [news.base for news in await stores.report.notice(1)] == [SDK]


async def keep_inventory(stores: Stores, **news: Any) -> None:
    source = FeedSource(FeedKind.IMAGE_INFO, "https://feeds.example/image-info.json")
    await stores.feeds.follow_feeds([source])
    now = stores.clock.now()
    assert await stores.documents(frozenset({FeedKind.IMAGE_INFO}))
    document = StoredDocument(source.url, None, None, b"{}", now, now, "1")
    await stores.feeds.keep_feed(FeedReading(source, document, now, **news))
