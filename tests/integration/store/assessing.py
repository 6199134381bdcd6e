"""What feeds and observations bring to the assessment."""

from dataclasses import replace
from datetime import datetime

from bot.domain.bases.change import Cause, Move
from bot.domain.feeds.advisory import Release
from bot.domain.feeds.document import FeedKind, FeedSource, StoredDocument
from bot.fleet.watch.feeds.tick import FeedReading
from tests.integration.store.filling import ASPNET, HOUR, Stores

FEED = FeedSource(FeedKind.DOTNET_RELEASES, "https://feeds.example/releases.json")


async def feed_changes(stores: Stores) -> datetime:
    """A feed document shows new content a moment after everything that is stored."""
    now = stores.clock.advance(HOUR / 60)
    await stores.feeds.follow_feeds([FEED])
    await stores.documents(frozenset({FEED.kind}), 10)
    document = StoredDocument(FEED.url, None, None, b"{}", now, now)
    release = Release("10.0", f"10.0.{now:%H%M}", now)
    await stores.feeds.keep_feed(FeedReading(FEED, document, now + HOUR, (release,)))
    return now


async def reassessable(stores: Stores) -> list[Move]:
    return await stores.assess.reassessable(await stores.assess.feeds_revision())


async def enrich(stores: Stores) -> None:
    """The feeds tell a CVE for every change."""
    await feed_changes(stores)
    moves = await reassessable(stores)
    news = [
        Move(move.id, replace(move.change, cause=Cause.DOTNET_SECURITY, cves=("CVE-2026-1",))) for move in moves
    ]
    await stores.assess.save_reassessed([move.id for move in moves], news, await stores.assess.feeds_revision())


async def moves_again_unassessed(stores: Stores) -> None:
    stores.clock.advance(HOUR)
    await stores.see({ASPNET: "c"})
