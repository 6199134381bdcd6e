"""The feed stage over a store in memory and feeds that serve published documents."""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, Trouble
from bot.domain.feeds.document import (
    FeedKind,
    FeedSource,
    StoredDocument,
)
from bot.fleet.watch.feeds.tick import FeedsToRead, tick
from bot.fleet.watch.feeds.wired import NoFeeds
from bot.reconcile.loop import Loop
from tests.fakes.stores.feeds import FakeFeedsStore
from tests.unit.upstream.feeds.published import published
from tests.unit.upstream.feeds.publisher import Publisher

NOW = datetime(2025, 12, 9, 18, 0, tzinfo=UTC)
INDEX = FeedSource(FeedKind.DOTNET_INDEX, "https://feeds.example/releases-index.json")
CHANNEL = FeedSource(FeedKind.DOTNET_RELEASES, "https://feeds.example/8.0/releases.json")
UPDATES = FeedSource(FeedKind.MSRC_UPDATES, "https://feeds.example/updates")
JUNE = FeedSource(FeedKind.MSRC_BULLETIN, "https://feeds.example/cvrf/2025-Jun")
IMAGES = FeedSource(FeedKind.IMAGE_INFO, "https://feeds.example/image-info.json")
GITHUB = FeedSource(FeedKind.GITHUB_ADVISORIES, "https://feeds.example/advisories")


@dataclass
class World:
    clock: ManualClock
    store: FakeFeedsStore
    feeds: Publisher

    async def tick(self, *roots: FeedSource, **settings: timedelta):  # type: ignore[no-untyped-def]
        return await tick(self.store, self.feeds, Loop(self.clock), FeedsToRead(roots, **settings))

    async def withdrawn(self, root: FeedSource) -> frozenset[tuple[str, str]]:
        """The tags of which one more tick finds that they left the inventory."""
        await self.tick(root)
        return self.store.readings[-1].tags_withdrawn

    def serve(self, source: FeedSource, body: bytes | Failure) -> None:
        self.feeds.bodies[source.url] = body


def copy_of(world: World, source: FeedSource) -> StoredDocument:
    kept = world.store.copy_of(source)
    assert kept is not None
    return kept


@pytest.fixture
def world() -> World:
    clock = ManualClock(NOW)
    return World(clock, FakeFeedsStore(clock), Publisher(clock, {}))


def index(*urls: str) -> bytes:
    rows = [{"channel-version": "8.0", "latest-release": "8.0.22", "releases.json": url} for url in urls]
    return json.dumps({"releases-index": rows}).encode()


def channel(*versions: str, **cves: list[str]) -> bytes:
    rows = [
        {"release-version": v, "cve-list": [{"cve-id": c} for c in cves.get("v" + v.replace(".", "_"), [])]}
        for v in versions
    ]
    return json.dumps({"channel-version": "8.0", "releases": rows}).encode()


def updates(revised: str = "2025-06-23T00:00:00Z") -> bytes:
    row = {"ID": "2025-Jun", "InitialReleaseDate": "2025-06-10T07:00:00Z", "CurrentReleaseDate": revised}
    return json.dumps({"value": [row | {"CvrfUrl": JUNE.url}]}).encode()


def images(*tags: str) -> bytes:
    manifest = {"digest": "sha256:" + "a" * 64, "sharedTags": tags}
    return json.dumps({"repos": [{"repo": "dotnet/aspnet", "images": [{"manifest": manifest}]}]}).encode()


async def test_one_tick_follows_the_index_to_its_channels(world: World) -> None:
    world.serve(INDEX, index(CHANNEL.url))
    world.serve(CHANNEL, published("releases-8.0.json"))
    tally = await world.tick(INDEX)
    assert world.feeds.asked == [INDEX.url, CHANNEL.url]
    assert (tally.read, tally.failed, tally.problems) == (2, [], [])
    assert len(world.store.releases) == 31
    assert tally.newly_published == []


async def test_nothing_is_asked_again_before_it_is_due(world: World) -> None:
    world.serve(INDEX, index(CHANNEL.url))
    world.serve(CHANNEL, channel("8.0.22"))
    await world.tick(INDEX)
    world.clock.advance(timedelta(minutes=14))
    assert (await world.tick(INDEX)).read == 0
    world.clock.advance(timedelta(minutes=1))
    tally = await world.tick(INDEX)
    assert (tally.read, tally.unchanged, len(world.feeds.asked)) == (0, 2, 4)


async def test_a_new_release_and_cves_that_follow_are_told_with_their_first_sight(world: World) -> None:
    world.serve(INDEX, index(CHANNEL.url))
    world.serve(CHANNEL, channel("8.0.21"))
    await world.tick(INDEX)
    published_at = world.clock.advance(timedelta(hours=1))
    world.serve(CHANNEL, channel("8.0.22", "8.0.21"))
    tally = await world.tick(INDEX)
    assert [r.version for r in tally.newly_published] == ["8.0.22"]
    listed_at = world.clock.advance(timedelta(hours=5))
    world.serve(CHANNEL, channel("8.0.22", "8.0.21", v8_0_22=["CVE-2025-0001"]))
    await world.tick(INDEX)
    kept = world.store.releases["8.0.22"]
    assert kept.cves == ("CVE-2025-0001",)
    assert (kept.published_at, kept.cves_listed_at) == (published_at, listed_at)


async def test_a_failed_feed_is_one_line_and_stops_no_other(world: World) -> None:
    world.serve(INDEX, Failure(Trouble.UNREACHABLE, "cannot be connected to", where="feeds.example"))
    world.serve(UPDATES, updates())
    world.serve(JUNE, published("msrc-cvrf-2025-Jun.xml"))
    tally = await world.tick(INDEX, UPDATES)
    assert tally.failed == ["feeds.example: cannot be connected to; nothing is known from this document yet"]
    assert ("msrc", "CVE-2025-30399") in world.store.advisories
    assert world.store.row(INDEX).due_at == NOW + timedelta(minutes=5)


async def test_a_throttled_feed_is_left_alone_for_as_long_as_it_asks(world: World) -> None:
    wait = timedelta(minutes=47)
    world.serve(GITHUB, Failure(Trouble.THROTTLED, "asks for fewer requests", retry_after=wait))
    await world.tick(GITHUB)
    assert world.store.row(GITHUB).due_at == NOW + wait


async def test_a_document_that_turns_to_garbage_leaves_the_last_good_copy_in_use(world: World) -> None:
    world.serve(IMAGES, images("8.0", "8.0-alpine"))
    await world.tick(IMAGES)
    good = copy_of(world, IMAGES)
    world.clock.advance(timedelta(hours=1))
    world.serve(IMAGES, b'{"repos": [')
    tally = await world.tick(IMAGES)
    assert tally.failed == [
        f"{IMAGES.url}: is no JSON: EOF while parsing a list at line 1 column 11; "
        "the last good copy stays in use (confirmed 2025-12-09 18:00 UTC)"
    ]
    assert copy_of(world, IMAGES) == good
    assert world.store.row(IMAGES).error == tally.failed[0]


async def test_a_copy_that_nobody_confirms_grows_stale(world: World) -> None:
    world.serve(IMAGES, images("8.0"))
    await world.tick(IMAGES)
    world.serve(IMAGES, Failure(Trouble.UNREACHABLE, "was silent for too long"))
    world.clock.advance(timedelta(hours=23))
    assert (await world.tick(IMAGES)).stale == []
    world.clock.advance(timedelta(hours=2))
    (sentence,) = (await world.tick(IMAGES)).stale
    assert "was last read 25 h ago" in sentence


async def test_a_monthly_document_is_read_at_once_when_the_list_says_it_was_revised(world: World) -> None:
    world.serve(UPDATES, updates())
    world.serve(JUNE, published("msrc-cvrf-2025-Jun.xml"))
    await world.tick(UPDATES)
    world.clock.advance(timedelta(minutes=15))
    await world.tick(UPDATES)
    assert world.feeds.asked.count(JUNE.url) == 1
    world.clock.advance(timedelta(minutes=15))
    world.serve(UPDATES, updates(revised="2025-12-09T18:20:00Z"))
    await world.tick(UPDATES)
    assert world.feeds.asked.count(JUNE.url) == 2


async def test_monthly_documents_older_than_the_history_are_not_read(world: World) -> None:
    world.serve(UPDATES, updates())
    await world.tick(UPDATES, history=timedelta(days=30))
    assert world.feeds.asked == [UPDATES.url]


async def test_a_feed_that_was_switched_off_is_not_read(world: World) -> None:
    world.serve(INDEX, index(CHANNEL.url))
    world.serve(CHANNEL, channel("8.0.22"))
    await world.tick(INDEX)
    world.clock.advance(timedelta(hours=1))
    world.feeds.asked.clear()
    world.serve(IMAGES, images("8.0"))
    await world.tick(IMAGES)
    assert world.feeds.asked == [IMAGES.url]


async def test_tags_that_leave_the_inventory_are_told_and_so_is_their_return(world: World) -> None:
    key = ("dotnet/aspnet", "8.0-alpine-composite")
    world.serve(IMAGES, images("8.0", "8.0-alpine", "8.0-alpine-composite"))
    assert await world.withdrawn(IMAGES) == set()
    world.clock.advance(timedelta(hours=1))
    world.serve(IMAGES, images("8.0", "8.0-alpine"))
    assert await world.withdrawn(IMAGES) == {key}
    world.clock.advance(timedelta(hours=1))
    world.serve(IMAGES, images("8.0", "8.0-alpine", "8.0-alpine-composite"))
    await world.tick(IMAGES)
    assert world.store.readings[-1].tags_returned == {key}


async def test_an_advisory_that_github_takes_back_is_taken_out(world: World) -> None:
    package = {"package": {"ecosystem": "nuget", "name": "NuGet.Packaging"}, "first_patched_version": "6.8.1"}
    row = {"ghsa_id": "GHSA-aaaa-bbbb-cccc", "cve_id": "CVE-2025-0001", "vulnerabilities": [package]}
    world.serve(GITHUB, json.dumps([row]).encode())
    await world.tick(GITHUB)
    assert ("github", "CVE-2025-0001") in world.store.advisories
    world.clock.advance(timedelta(hours=1))
    world.serve(GITHUB, json.dumps([row | {"withdrawn_at": "2025-12-09T18:30:00Z"}]).encode())
    await world.tick(GITHUB)
    assert world.store.advisories == {}


async def test_skipped_entries_are_named_and_the_rest_is_kept(world: World) -> None:
    world.serve(INDEX, index(CHANNEL.url))
    world.serve(CHANNEL, channel("8.0.22", "eight"))
    tally = await world.tick(INDEX)
    assert list(world.store.releases) == ["8.0.22"]
    assert len(tally.problems) == 1
    assert f"{CHANNEL.url}: releases[1]: release-version" in tally.problems[0]


async def test_a_copy_read_by_older_parsers_is_read_again_without_new_content(world: World) -> None:
    world.serve(INDEX, index(CHANNEL.url))
    world.serve(CHANNEL, channel("8.0.22"))
    await world.tick(INDEX)
    world.store.releases.clear()
    old = copy_of(world, CHANNEL)
    world.store.keep(CHANNEL, replace(old, reader="0"))
    world.clock.advance(timedelta(hours=1))
    await world.tick(INDEX)
    assert world.store.releases["8.0.22"].published_at == NOW
    assert copy_of(world, CHANNEL).reader != "0"


async def test_a_claim_that_another_worker_took_over_ends_that_document_alone(world: World) -> None:
    world.serve(IMAGES, images("8.0"))
    world.serve(INDEX, index(CHANNEL.url))
    world.serve(CHANNEL, channel("8.0.22"))
    world.store.taken_over.add(IMAGES)
    tally = await world.tick(IMAGES, INDEX)
    assert (tally.read, tally.failed) == (2, [])
    assert world.store.copy_of(IMAGES) is None


async def test_what_a_document_brought_is_kept_in_one_transaction(world: World) -> None:
    world.serve(IMAGES, images("8.0"))
    await world.tick(IMAGES)
    assert len(world.store.readings) == 1


async def test_an_index_that_lists_without_end_ends_the_tick_all_the_same(world: World) -> None:
    world.serve(INDEX, index(*(f"https://feeds.example/{number}" for number in range(500))))
    await world.tick(INDEX)
    assert len(world.feeds.asked) <= 101


async def test_offline_a_copy_stays_and_grows_older(world: World) -> None:
    world.serve(INDEX, index())
    await world.tick(INDEX)
    world.clock.advance(timedelta(days=2))
    tally = await tick(world.store, NoFeeds(), Loop(world.clock), FeedsToRead((INDEX,)))
    assert tally.failed == []
    assert any("was last read 2 days ago" in line for line in tally.stale)
    assert copy_of(world, INDEX).checked_at == NOW


async def test_offline_a_feed_that_no_bundle_brought_is_told(world: World) -> None:
    tally = await tick(world.store, NoFeeds(), Loop(world.clock), FeedsToRead((INDEX,)))
    assert "is not asked offline" in tally.failed[0]
