"""The whole fleet is looked at where something has changed; notices are kept, told together and cleared."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from bot.domain.bases.notice import Notice, Topic
from bot.domain.failure import LeaseLost
from bot.domain.feeds.document import FeedKind, FeedSource, StoredDocument
from bot.domain.reference import Base
from bot.domain.repositories.repository import Reading, Repository
from bot.fleet.assess.notices.deciding import (
    AlertOptions,
    Cleared,
    NoticeDifference,
    Opened,
    RefreshedNotice,
    compare_notices,
)
from bot.fleet.assess.notices.published import StaleInventory
from bot.fleet.assess.notices.rows import NoticesStore
from bot.fleet.assess.notices.tick import FleetLook
from bot.fleet.watch.feeds.tick import FeedReading
from bot.store.rows.bases.tables import incidents, notices
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.tables import outbox
from bot.upstream.dotnet.releases import ReleaseIndex
from bot.upstream.feeds.doubts import DoubtedLoss
from tests.integration.store.conftest import NOON, ON_BOTH
from tests.integration.store.filling import ASPNET, HOUR, LEASE, SDK, Stores, digest, usage_of

INVENTORY = FeedSource(FeedKind.IMAGE_INFO, "https://feeds.example/image-info.json")
OTHER = Base(ASPNET.registry, ASPNET.repository, "10.0-noble")
DAY = timedelta(days=1)


@pytest.fixture
def store(stores: Stores) -> NoticesStore:
    return stores.notices


async def watched(stores: Stores, *used: Base) -> None:
    """Two repositories that use these bases, each of which has been seen once."""
    await stores.listing(Repository("contoso/shop", "main"), Repository("contoso/bank", "main"))
    await stores.read(Reading("tree-1", tuple((usage_of(base), base) for base in used)))
    await stores.see(dict.fromkeys(used, "a"))


async def inventory(
    stores: Stores, *tags: str, withdrawn: Sequence[Base] = (), doubts: Sequence[DoubtedLoss] = ()
) -> None:
    """The inventory as it lists these tags of `dotnet/aspnet` from now on."""
    manifest = {"digest": f"mcr.microsoft.com/dotnet/aspnet@{digest('c')}", "sharedTags": list(tags)}
    platform = {"osType": "Linux", "architecture": "amd64", "osVersion": "noble", "digest": digest("d")}
    images = [{"productVersion": "10.0.5", "manifest": manifest, "platforms": [platform]}]
    body = json.dumps({"repos": [{"repo": "dotnet/aspnet", "images": images}]}).encode()
    now = stores.clock.now()
    await stores.feeds.follow_feeds([INVENTORY])
    assert await stores.documents(frozenset({FeedKind.IMAGE_INFO}), 1)
    await stores.feeds.keep_feed(
        FeedReading(
            INVENTORY,
            StoredDocument(INVENTORY.url, None, None, body, now, now, "1"),
            now,
            doubts=tuple(doubts),
            tags_withdrawn=frozenset((base.repository, base.tag) for base in withdrawn),
        )
    )


async def looked(store: NoticesStore, stores: Stores) -> FleetLook:
    look = await store.claim_look()
    assert look is not None
    return look


def nothing(stores: Stores, **values: Any) -> NoticeDifference:
    chosen: dict[str, Any] = {"opened": (), "refreshed": (), "cleared": ()}
    return NoticeDifference(**(chosen | values), look_again_at=stores.clock.now() + DAY)


def notice(base: Base = ASPNET, topic: Topic = Topic.WITHDRAWN, text: str = "was withdrawn") -> Notice:
    return Notice(topic, base, NOON, None, timedelta(0), text, (OTHER,))


async def opened(store: NoticesStore, stores: Stores, *found: tuple[Notice, bool]) -> None:
    look = await looked(store, stores)
    items = tuple(Opened(look.picture.used[item.base], item, tell) for item, tell in found)
    await store.save_look(look, nothing(stores, opened=items))


# When there is something to look at


async def test_the_first_look_waits_for_the_fleet_its_bases_and_the_feeds(
    store: NoticesStore, stores: Stores
) -> None:
    assert await store.claim_look() is None
    await stores.listing(Repository("contoso/shop", "main"))
    assert await store.claim_look() is None
    await stores.read(Reading("tree-1", ((usage_of(ASPNET), ASPNET),)))
    assert await store.claim_look() is None
    await stores.feeds.follow_feeds([INVENTORY])
    await stores.see({ASPNET: "a"})
    assert await store.claim_look() is None
    await inventory(stores, "10.0")
    assert (await looked(store, stores)).picture.is_first


async def test_a_feed_that_is_switched_off_is_not_waited_for(store: NoticesStore, stores: Stores) -> None:
    await stores.feeds.follow_feeds([INVENTORY])
    await watched(stores, ASPNET)
    assert await store.claim_look() is None
    stores.clock.advance(2 * HOUR)
    assert await store.claim_look() is not None


@ON_BOTH
async def test_a_look_by_a_clock_that_was_ahead_puts_the_next_one_off_no_longer_than_it_rests(
    store: NoticesStore, stores: Stores
) -> None:
    await watched(stores, ASPNET)
    now = stores.clock.now()
    stores.clock.advance(365 * DAY)
    await store.save_look(await looked(store, stores), nothing(stores))
    assert await store.claim_look() is None
    stores.clock.at = now
    assert await store.claim_look() is not None


async def test_without_news_nobody_looks_again_before_the_time(store: NoticesStore, stores: Stores) -> None:
    await watched(stores, ASPNET)
    await store.save_look(await looked(store, stores), nothing(stores))
    stores.clock.advance(DAY - HOUR)
    assert await store.claim_look() is None
    stores.clock.advance(HOUR)
    again = await store.claim_look()
    assert again is not None
    assert not again.picture.is_first


async def test_an_observation_a_document_or_another_use_is_news(store: NoticesStore, stores: Stores) -> None:
    await watched(stores, ASPNET)
    await store.save_look(await looked(store, stores), nothing(stores))
    stores.clock.advance(HOUR)
    await stores.see({ASPNET: "b"})
    await store.save_look(await looked(store, stores), nothing(stores))
    await inventory(stores, "10.0")
    await store.save_look(await looked(store, stores), nothing(stores))
    stores.clock.advance(24 * HOUR)
    await store.save_look(await looked(store, stores), nothing(stores))
    await stores.read(Reading("tree-2", ((usage_of(SDK), SDK),)))
    assert set((await looked(store, stores)).picture.used) == {SDK}


async def test_what_changes_during_a_look_leads_to_another(store: NoticesStore, stores: Stores) -> None:
    await watched(stores, ASPNET)
    look = await looked(store, stores)
    stores.clock.advance(LEASE / 2)
    await inventory(stores, "10.0")
    await store.save_look(look, nothing(stores))
    assert await store.claim_look() is not None


@ON_BOTH
async def test_one_worker_looks_at_a_time(store: NoticesStore, stores: Stores) -> None:
    await watched(stores, ASPNET)
    look = await looked(store, stores)
    other = stores.other("second").notices
    assert await other.claim_look() is None
    stores.clock.advance(LEASE)
    assert await other.claim_look() is not None
    found = nothing(stores, opened=(Opened(look.picture.used[ASPNET], notice(), True),))
    with pytest.raises(LeaseLost):
        await store.save_look(look, found)
    assert (await stores.count(notices), await stores.count(outbox)) == (0, 0)


# What is seen


async def test_a_look_sees_histories_and_what_the_inventory_lists(store: NoticesStore, stores: Stores) -> None:
    await watched(stores, ASPNET)
    stores.clock.advance(HOUR)
    await inventory(stores, "10.0-noble", withdrawn=[ASPNET])
    picture = (await looked(store, stores)).picture
    assert [seen.digest for seen in picture.histories[ASPNET]] == [digest("a"), None]
    assert picture.published is not None
    assert (picture.published.lists(ASPNET), picture.published.lists(OTHER)) == (False, True)
    assert picture.published.lists(SDK) is None


async def test_a_sibling_that_nobody_uses_any_more_is_seen_too(store: NoticesStore, stores: Stores) -> None:
    chiseled = Base(ASPNET.registry, ASPNET.repository, "10.0-noble-chiseled")
    await watched(stores, OTHER, chiseled)
    stores.clock.advance(24 * HOUR)
    await stores.read(Reading("tree-2", ((usage_of(chiseled), chiseled),)))
    picture = (await looked(store, stores)).picture
    assert (set(picture.used), set(picture.histories)) == ({chiseled}, {chiseled, OTHER})


async def test_the_picture_and_the_stage_agree_on_where_to_move(store: NoticesStore, stores: Stores) -> None:
    await watched(stores, ASPNET)
    stores.clock.advance(HOUR)
    await inventory(stores, "10.0-noble", withdrawn=[ASPNET])
    now = stores.clock.now()
    look = await looked(store, stores)
    found = compare_notices(look.picture, ReleaseIndex([]), {}, now, AlertOptions())
    await store.save_look(look, found)
    (shown,) = (await stores.fleet_views.status()).notices
    assert (shown.topic, shown.base, shown.since, shown.toward) == (Topic.WITHDRAWN, ASPNET, now, (OTHER,))


# What is kept and told


async def test_a_stale_inventory_is_told_once_when_it_begins_and_once_when_it_is_over(
    store: NoticesStore, stores: Stores
) -> None:
    await watched(stores, ASPNET)
    stale = StaleInventory(NOON, "still lists what aspnet:10.0 showed before")
    for _ in range(2):
        await store.save_look(await looked_later(store, stores), nothing(stores, stale=stale))
    assert await stores.column(incidents, "opened_at") == [NOON]
    (shown,) = (await stores.fleet_views.status()).incidents
    assert (shown.subject, shown.detail) == ("published image inventory", stale.text)
    assert await stores.column(outbox, "wanted") == [1]
    for _ in range(2):
        await store.save_look(await looked_later(store, stores), nothing(stores))
    assert (await stores.fleet_views.status()).incidents == ()
    assert await stores.column(outbox, "wanted") == [2]


async def test_what_is_found_at_once_is_one_message(store: NoticesStore, stores: Stores) -> None:
    await watched(stores, ASPNET, SDK)
    lag = notice(ASPNET, Topic.RELEASE_LAG)
    await opened(store, stores, (lag, False), (notice(ASPNET), True), (notice(SDK), True))
    (key,) = await stores.column(outbox, "key")
    told = await stores.report.notice(int(key.partition(":")[2]))
    assert [(item.topic, item.base) for item in told] == [(Topic.WITHDRAWN, ASPNET), (Topic.WITHDRAWN, SDK)]
    assert [item.repositories for item in told] == [("contoso/bank", "contoso/shop")] * 2


async def test_what_is_not_told_causes_no_message(store: NoticesStore, stores: Stores) -> None:
    await watched(stores, ASPNET)
    await opened(store, stores, (notice(topic=Topic.WAITING_FOR_BASE), False))
    assert await stores.count(outbox) == 0
    assert [item.told for item in (await looked_later(store, stores)).picture.open] == [False]


async def looked_later(store: NoticesStore, stores: Stores) -> FleetLook:
    stores.clock.advance(DAY)
    return await looked(store, stores)


async def test_a_notice_is_told_when_its_time_has_come(store: NoticesStore, stores: Stores) -> None:
    await watched(stores, ASPNET)
    waiting = notice(topic=Topic.WAITING_FOR_BASE)
    await opened(store, stores, (waiting, False))
    look = await looked_later(store, stores)
    step = RefreshedNotice(look.picture.open[0].id, notice(topic=Topic.WAITING_FOR_BASE, text="still"), True, False)
    await store.save_look(look, nothing(stores, refreshed=(step,)))
    assert [item.text for item in await stores.report.notice(step.id)] == ["still"]
    assert await stores.column(outbox, "key") == [f"notice:{step.id}"]


async def test_a_new_text_is_kept_quietly_and_another_way_out_changes_the_message(
    store: NoticesStore, stores: Stores
) -> None:
    await watched(stores, ASPNET)
    await opened(store, stores, (notice(), True))
    for reword, wanted in ((False, 1), (True, 2)):
        look = await looked_later(store, stores)
        step = RefreshedNotice(look.picture.open[0].id, notice(text=f"reworded: {reword}"), False, reword)
        await store.save_look(look, nothing(stores, refreshed=(step,)))
        assert await stores.column(notices, "text") == [f"reworded: {reword}"]
        assert await stores.column(outbox, "wanted") == [wanted]


async def test_a_cleared_notice_changes_its_message_and_may_come_again(store: NoticesStore, stores: Stores) -> None:
    await watched(stores, ASPNET)
    await opened(store, stores, (notice(), True))
    look = await looked_later(store, stores)
    gone = Cleared(look.picture.open[0].id, "it is published again")
    await store.save_look(look, nothing(stores, cleared=(gone,)))
    assert await stores.column(outbox, "wanted") == [2]
    (told,) = await stores.report.notice(gone.id)
    assert (told.cleared_at, told.outcome) == (NOON + DAY, "it is published again")
    assert (await stores.fleet_views.status()).notices == ()
    stores.clock.advance(DAY)
    await opened(store, stores, (notice(), True))
    assert await stores.count(outbox) == 2


async def test_an_event_that_fades_leaves_its_message(store: NoticesStore, stores: Stores) -> None:
    await watched(stores, ASPNET)
    await opened(store, stores, (notice(topic=Topic.MOVED_UNDERNEATH), True))
    look = await looked_later(store, stores)
    gone = Cleared(look.picture.open[0].id, "it has moved on")
    await store.save_look(look, nothing(stores, cleared=(gone,)))
    assert await stores.column(outbox, "wanted") == [1]


async def test_a_base_shows_how_late_it_was_behind_its_release(store: NoticesStore, stores: Stores) -> None:
    await watched(stores, ASPNET)
    lag = Notice(Topic.RELEASE_LAG, ASPNET, NOON - 3 * HOUR, NOON, 3 * HOUR, "3 h after the release feed listed it")
    await opened(store, stores, (lag, False))
    status = await stores.fleet_views.status()
    assert [base.release_lag for base in status.bases] == [3 * HOUR]
    assert status.notices == ()


async def test_a_base_that_nobody_uses_any_more_has_no_users_to_name(store: NoticesStore, stores: Stores) -> None:
    await watched(stores, ASPNET)
    await opened(store, stores, (notice(), True))
    stores.clock.advance(24 * HOUR)
    await stores.read(Reading("tree-2", ((usage_of(SDK), SDK),)))
    assert [item.repositories for item in await stores.report.notice(1)] == [()]


async def test_a_repository_that_cannot_be_read_is_not_waited_for(store: NoticesStore, stores: Stores) -> None:
    await watched(stores, ASPNET)
    async with stores.database.transaction() as connection:
        await connection.execute(
            insert(repositories).values(
                name="contoso/closed",
                default_branch="main",
                listed=True,
                config={},
                workflows=[],
                problems=[],
                due_at=NOON,
                error="403",
            )
        )
    assert await store.claim_look() is not None


async def test_of_a_tag_whose_loss_is_doubted_the_inventory_says_nothing(
    store: NoticesStore, stores: Stores
) -> None:
    await watched(stores, ASPNET)
    doubt = DoubtedLoss("dotnet/aspnet", "", frozenset({(ASPNET.repository, ASPNET.tag)}), NOON)
    await inventory(stores, "other", doubts=[doubt])
    published = (await looked(store, stores)).picture.published
    assert published is not None
    assert published.lists(ASPNET) is None
    stores.clock.advance(DAY)
    await inventory(stores, "other")
    published = (await looked(store, stores)).picture.published
    assert published is not None
    assert published.lists(ASPNET) is False
