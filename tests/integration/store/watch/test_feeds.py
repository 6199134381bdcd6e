"""Feed documents are followed, kept whole or put off."""

from dataclasses import replace

import pytest

from bot.domain.failure import LeaseLost
from bot.domain.feeds.advisory import Advisory, Evidence, Release
from bot.domain.feeds.document import FeedKind, FeedSource, StoredDocument
from bot.domain.reference import Base
from bot.domain.repositories.repository import Reading, Repository
from bot.fleet.watch.feeds.tick import DueFeed, FeedReading
from bot.upstream.feeds.doubts import DoubtedLoss, WatchedTag
from tests.integration.store.conftest import NOON, ON_BOTH
from tests.integration.store.filling import HOUR, LEASE, Stores, usage_of
from tests.integration.store.statements import statements

INDEX = FeedSource(FeedKind.DOTNET_INDEX, "https://feeds.example/index.json")
CHANNEL = FeedSource(FeedKind.DOTNET_RELEASES, "https://feeds.example/10.0.json")
KINDS = frozenset(FeedKind)
RELEASE = Release("10.0", "10.0.5", NOON, runtime="10.0.5", cves=("CVE-2026-1",))
ADVISORY = Advisory("CVE-2026-1", evidence=(Evidence("msrc", "CVE-2026-1", NOON),))


async def claimed(stores: Stores) -> list[DueFeed]:
    return await stores.documents(KINDS, 10)


def reading(stores: Stores, source: FeedSource = INDEX) -> FeedReading:
    now = stores.clock.now()
    document = StoredDocument(source.url, '"etag"', "Tue, 10 Mar 2026", b"{}" * 500, now, now, "reader-1")
    return FeedReading(source, document, now + HOUR)


async def test_nothing_is_written_of_documents_that_are_followed_already(stores: Stores) -> None:
    await stores.feeds.follow_feeds([INDEX])
    with statements(stores.database.engine) as told:
        await stores.feeds.follow_feeds([INDEX])
        await stores.feeds.follow_feeds([])
    assert [each for each in told if not each.startswith(("BEGIN", "SELECT"))] == []
    await stores.feeds.follow_feeds([INDEX, CHANNEL])
    assert {feed.source for feed in await claimed(stores)} == {INDEX, CHANNEL}


async def test_releases_and_advisories_are_replaced_not_added(stores: Stores) -> None:
    await stores.feeds.follow_feeds([INDEX])
    for title in ("first", "second"):
        await claimed(stores)
        advisory = replace(ADVISORY, title=title)
        await stores.feeds.keep_feed(replace(reading(stores), releases=(RELEASE,), advisories=(advisory,)))
        stores.clock.advance(HOUR)
    assert await stores.feeds.known_releases() == {"10.0.5": RELEASE}
    assert [found.title for found in await stores.feeds.advisories()] == ["second"]


async def test_a_withdrawn_advisory_is_forgotten_for_its_source_alone(stores: Stores) -> None:
    other = replace(ADVISORY, evidence=(Evidence("github", "GHSA", NOON),))
    await stores.feeds.follow_feeds([INDEX])
    await claimed(stores)
    await stores.feeds.keep_feed(replace(reading(stores), advisories=(ADVISORY, other)))
    stores.clock.advance(HOUR)
    await claimed(stores)
    await stores.feeds.keep_feed(replace(reading(stores), withdrawn_advisories=(("msrc", "CVE-2026-1"),)))
    assert await stores.feeds.advisories() == [other]


async def test_what_a_document_takes_back_is_forgotten_unless_another_has_said_it_since(stores: Stores) -> None:
    await stores.feeds.follow_feeds([INDEX])
    await claimed(stores)
    await stores.feeds.keep_feed(replace(reading(stores), advisories=(ADVISORY,)))
    elsewhere = replace(ADVISORY, evidence=(Evidence("msrc", "another month", NOON),))
    for taken_back, left in ((elsewhere, [ADVISORY]), (ADVISORY, [])):
        stores.clock.advance(HOUR)
        await claimed(stores)
        await stores.feeds.keep_feed(replace(reading(stores), taken_back=(taken_back,)))
        assert await stores.feeds.advisories() == left


async def test_a_loss_that_is_doubted_is_told_until_it_is_over(stores: Stores) -> None:
    doubt = DoubtedLoss("dotnet/aspnet", "has none", frozenset({("dotnet/aspnet", "8.0")}), NOON)
    await stores.feeds.follow_feeds([INDEX])
    for _ in range(2):
        await claimed(stores)
        await stores.feeds.keep_feed(replace(reading(stores), doubts=(doubt,)))
        stores.clock.advance(HOUR)
        [incident] = (await stores.fleet_views.status()).incidents
        assert (incident.subject, incident.detail) == ("says less:dotnet/aspnet", doubt.text)
    await claimed(stores)
    await stores.feeds.keep_feed(replace(reading(stores), doubts_over=frozenset({doubt.place})))
    assert (await stores.fleet_views.status()).incidents == ()


async def test_the_bases_of_doubted_tags_are_those_in_use_on_any_registry(stores: Stores) -> None:
    used = [Base("mcr.microsoft.com", "dotnet/aspnet", "8.0"), Base("mirror.example", "dotnet/aspnet", "8.0")]
    other = Base("mcr.microsoft.com", "dotnet/sdk", "8.0")
    await stores.listing(Repository("contoso/shop", "main"))
    await stores.read(Reading("tree-1", tuple((usage_of(base), base) for base in [*used, other])))
    await stores.see(dict.fromkeys([*used, other], "a"))
    key = ("dotnet/aspnet", "8.0")
    found = await stores.feeds.watched({key, ("dotnet/sdk", "9.0")})
    assert sorted(found, key=lambda each: each.base) == [
        WatchedTag(key, base, "sha256:" + "a" * 64, each.moved_at) for base, each in zip(used, found, strict=True)
    ]


async def test_a_document_put_off_keeps_its_copy_and_says_why(stores: Stores) -> None:
    await stores.feeds.follow_feeds([INDEX])
    await claimed(stores)
    kept = reading(stores)
    await stores.feeds.keep_feed(kept)
    stores.clock.advance(HOUR)
    await claimed(stores)
    await stores.put_off(stores.feeds.documents(KINDS), 1, stores.clock.now() + HOUR, "no answer")
    assert await claimed(stores) == []
    status = await stores.fleet_views.status()
    assert status.feed_errors == ((INDEX.url, "no answer"),)
    stores.clock.advance(HOUR)
    assert await claimed(stores) == [DueFeed(INDEX, kept.document)]


@ON_BOTH
async def test_whoever_lost_the_lease_keeps_nothing(stores: Stores) -> None:
    await stores.feeds.follow_feeds([INDEX])
    await claimed(stores)
    stores.clock.advance(LEASE)
    await claimed(stores.other("second"))
    with pytest.raises(LeaseLost):
        await stores.feeds.keep_feed(replace(reading(stores), releases=(RELEASE,), leads_to=(CHANNEL,)))
    await stores.put_off(stores.feeds.documents(KINDS), 1, NOON, "late")
    assert await stores.feeds.known_releases() == {}
    assert await claimed(stores) == []
