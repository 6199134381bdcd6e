"""`FeedsStore`, in memory and on both databases."""

from dataclasses import replace

import pytest

from bot.domain.clock import ManualClock
from bot.domain.failure import LeaseLost
from bot.domain.feeds.advisory import Advisory, Evidence, Release
from bot.domain.feeds.document import FeedKind, FeedSource, StoredDocument
from bot.fleet.watch.feeds.tick import DueFeed, FeedReading, FeedsStore
from bot.store.rows.bases.tables import documents
from bot.upstream.feeds.doubts import DoubtedLoss
from tests.fakes.stores.feeds import FakeFeedsStore
from tests.integration.store.conftest import NOON
from tests.integration.store.contracts.conftest import Steal
from tests.integration.store.filling import HOUR, Stores

INDEX = FeedSource(FeedKind.DOTNET_INDEX, "https://feeds.example/index.json")
CHANNEL = FeedSource(FeedKind.DOTNET_RELEASES, "https://feeds.example/10.0.json")
KINDS = frozenset(FeedKind)
RELEASE = Release("10.0", "10.0.5", NOON, runtime="10.0.5", cves=("CVE-2026-1",))
ADVISORY = Advisory("CVE-2026-1", evidence=(Evidence("msrc", "CVE-2026-1", NOON),))


@pytest.fixture
def store(real: Stores | None, clock: ManualClock) -> FeedsStore:
    return FakeFeedsStore(clock) if real is None else real.feeds


async def due(store: FeedsStore, clock: ManualClock, kinds: frozenset[FeedKind] = KINDS) -> list[DueFeed]:
    queue = store.documents(kinds)
    return [await queue.read(claimed) for claimed in await queue.claim(clock.now(), 10)]


def reading(clock: ManualClock, source: FeedSource = INDEX) -> FeedReading:
    now = clock.now()
    document = StoredDocument(source.url, '"etag"', "Tue, 10 Mar 2026", b"{}" * 500, now, now, "reader-1")
    return FeedReading(source, document, now + HOUR)


async def test_a_followed_document_is_due_at_once_and_known_once(store: FeedsStore, clock: ManualClock) -> None:
    for _ in range(2):
        await store.follow_feeds([INDEX])
    assert await due(store, clock) == [DueFeed(INDEX, None)]


async def test_documents_of_other_kinds_are_left(store: FeedsStore, clock: ManualClock) -> None:
    await store.follow_feeds([INDEX])
    assert await due(store, clock, frozenset({FeedKind.IMAGE_INFO})) == []


async def test_a_kept_document_comes_back_as_it_was(store: FeedsStore, clock: ManualClock) -> None:
    await store.follow_feeds([INDEX])
    await due(store, clock)
    kept = reading(clock)
    await store.keep_feed(kept)
    assert await due(store, clock) == []
    clock.advance(HOUR)
    assert await due(store, clock) == [DueFeed(INDEX, kept.document)]
    assert await store.feeds_checked_at(INDEX.kind) == {INDEX.url: NOON}
    assert await store.feeds_checked_at(CHANNEL.kind) == {}


async def test_a_release_read_twice_is_known_once(store: FeedsStore, clock: ManualClock) -> None:
    await store.follow_feeds([INDEX])
    for _ in range(2):
        await due(store, clock)
        await store.keep_feed(replace(reading(clock), releases=(RELEASE,), advisories=(ADVISORY,)))
        clock.advance(HOUR)
    assert await store.known_releases() == {"10.0.5": RELEASE}


async def test_what_is_doubted_comes_back_with_its_document(store: FeedsStore, clock: ManualClock) -> None:
    doubt = DoubtedLoss("dotnet/aspnet", "has none", frozenset({("dotnet/aspnet", "8.0")}), NOON, 2, NOON)
    await store.follow_feeds([INDEX])
    await due(store, clock)
    kept = replace(reading(clock), doubts=(doubt,))
    await store.keep_feed(kept)
    clock.advance(HOUR)
    assert await due(store, clock) == [DueFeed(INDEX, kept.document, (doubt,))]
    await store.keep_feed(replace(reading(clock), doubts_over=frozenset({doubt.place})))
    clock.advance(HOUR)
    [again] = await due(store, clock)
    assert again.doubts == ()


async def test_what_a_document_leads_to_is_due_now(store: FeedsStore, clock: ManualClock) -> None:
    await store.follow_feeds([CHANNEL])
    await due(store, clock)
    await store.keep_feed(reading(clock, CHANNEL))
    clock.advance(HOUR / 2)
    await store.follow_feeds([INDEX])
    await due(store, clock)
    new = FeedSource(FeedKind.DOTNET_RELEASES, "https://feeds.example/11.0.json")
    await store.keep_feed(replace(reading(clock), leads_to=(CHANNEL, new)))
    found = await due(store, clock)
    assert {feed.source for feed in found} == {CHANNEL, new}
    assert {feed.document is None for feed in found} == {True, False}


async def test_a_document_put_off_keeps_its_copy(store: FeedsStore, clock: ManualClock) -> None:
    await store.follow_feeds([INDEX])
    await due(store, clock)
    kept = reading(clock)
    await store.keep_feed(kept)
    clock.advance(HOUR)
    queue = store.documents(KINDS)
    await queue.put_off(await queue.claim(clock.now(), 10), clock.now() + HOUR, error="no answer")
    assert await due(store, clock) == []
    clock.advance(HOUR)
    assert await due(store, clock) == [DueFeed(INDEX, kept.document)]


async def test_whoever_lost_the_lease_keeps_nothing(store: FeedsStore, clock: ManualClock, steal: Steal) -> None:
    await store.follow_feeds([INDEX])
    [claimed] = await store.documents(KINDS).claim(clock.now(), 10)
    await steal(store.documents(KINDS), documents, claimed.id)
    with pytest.raises(LeaseLost):
        await store.keep_feed(replace(reading(clock), releases=(RELEASE,), leads_to=(CHANNEL,)))
    assert await store.known_releases() == {}
    assert await due(store, clock) == []
