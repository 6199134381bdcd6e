"""What a source says no more is taken back, or doubted until two publications and the registry agree."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from bot.domain.bases.image import OCI_INDEX, Head
from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, Trouble
from bot.domain.feeds.advisory import Release
from bot.domain.feeds.document import FeedKind, FeedSource
from bot.domain.reference import Base
from bot.fleet.watch.feeds.tick import FeedsToRead, FeedTally, tick
from bot.reconcile.loop import Loop
from bot.upstream.feeds.doubts import STILL_FOR, WatchedTag
from bot.upstream.history.log import MCR
from tests.fakes.stores.feeds import FakeFeedsStore
from tests.unit.upstream.feeds.inventories import channel, document
from tests.unit.upstream.feeds.publisher import Publisher

NOW = datetime(2026, 8, 20, 12, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
IMAGES = FeedSource(FeedKind.IMAGE_INFO, "https://feeds.example/image-info.json")
CHANNEL = FeedSource(FeedKind.DOTNET_RELEASES, "https://feeds.example/10.0/releases.json")
MONTH = FeedSource(FeedKind.DOTNET_CVE, "https://feeds.example/2026/03/cve.json")
ISSUES = FeedSource(FeedKind.ANNOUNCEMENTS, "https://feeds.example/issues")
ASPNET, DASHBOARD = "dotnet/aspnet", "dotnet/aspire-dashboard"
LISTED = {ASPNET: [*channel("8.0"), *channel("9.0"), *channel("10.0")], DASHBOARD: ["13", "13.1", "latest"]}
THIN = LISTED | {DASHBOARD: []}
OLD = "sha256:" + "1" * 64


@dataclass
class Registry:
    """Says of each tag whether it is there and whether it has ended; one that is not named goes on."""

    ended: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    is_down: bool = False
    asked: list[str] = field(default_factory=list)

    async def head(self, base: Base) -> Head:
        self.asked.append(base.tag)
        if self.is_down or base.tag in self.gone:
            raise Failure(Trouble.UNREACHABLE if self.is_down else Trouble.MISSING, "no")
        return Head(OLD, OCI_INDEX)

    async def has_ended(self, base: Base, digest: str) -> bool:
        return base.tag in self.ended


@dataclass
class World:
    clock: ManualClock
    store: FakeFeedsStore
    feeds: Publisher
    registry: Registry

    async def serve(self, source: FeedSource, body: bytes, after: timedelta = HOUR) -> FeedTally:
        self.clock.advance(after)
        self.feeds.bodies[source.url] = body
        return await tick(self.store, self.feeds, Loop(self.clock), FeedsToRead((source,)), self.registry)

    async def inventory(self, tags: Mapping[str, list[str]], number: int = 0, after: timedelta = HOUR) -> set[str]:
        """The tags that are withdrawn by that publication; those of another number differ in a layer alone."""
        tally = await self.serve(IMAGES, document(tags, publication=number), after)
        assert tally.failed == []
        return {tag for _, tag in self.store.readings[-1].tags_withdrawn}

    def watch(self, tag: str, moved_at: datetime) -> None:
        base = Base(MCR, DASHBOARD, tag)
        self.store.tags = [each for each in self.store.tags if each.base != base]
        self.store.tags.append(WatchedTag((DASHBOARD, tag), base, OLD, moved_at))

    @property
    def doubted(self) -> list[str]:
        return [each.place for each in self.store.readings[-1].doubts]


@pytest.fixture
async def world() -> World:
    clock = ManualClock(NOW)
    made = World(clock, FakeFeedsStore(clock), Publisher(clock, {}), Registry())
    made.watch("13", NOW - DAY)
    return made


async def test_a_repository_that_loses_all_of_its_tags_withdraws_nothing_and_is_told(world: World) -> None:
    await world.inventory(LISTED)
    tally = await world.serve(IMAGES, document(THIN))
    [reading] = world.store.readings[-1:]
    assert (reading.tags_withdrawn, world.doubted) == (frozenset(), [DASHBOARD])
    assert tally.problems == [f"{IMAGES.url}: {reading.doubts[0].text}"]
    assert "has none of 3 tags left at once" in reading.doubts[0].text
    assert "on 2026-09-24 where nothing moves" in reading.doubts[0].text


async def test_what_comes_back_was_never_gone(world: World) -> None:
    await world.inventory(LISTED)
    await world.inventory(THIN)
    await world.inventory(LISTED, 1, timedelta(weeks=2))
    [reading] = world.store.readings[-1:]
    assert (reading.tags_withdrawn, reading.tags_returned, world.doubted) == (frozenset(), frozenset(), [])
    assert reading.doubts_over == {DASHBOARD}


async def test_what_comes_back_in_part_leaves_the_rest_in_doubt(world: World) -> None:
    await world.inventory(LISTED)
    await world.inventory(THIN)
    await world.inventory(THIN | {DASHBOARD: ["13"]}, 1)
    [doubt] = world.store.readings[-1].doubts
    assert {tag for _, tag in doubt.keys} == {"13.1", "latest"}


async def test_a_standstill_makes_no_loss_true(world: World) -> None:
    await world.inventory(LISTED)
    assert await world.inventory({ASPNET: LISTED[ASPNET][:1], DASHBOARD: []}, after=timedelta(hours=25)) == set()
    assert world.doubted == [DASHBOARD, ASPNET]


async def test_one_publication_is_never_enough(world: World) -> None:
    await world.inventory(LISTED)
    world.registry.gone = {"13"}
    await world.inventory(THIN)
    assert await world.inventory(THIN, after=STILL_FOR + DAY) == set()
    assert world.registry.asked == []


@pytest.mark.parametrize("word", ["gone", "ended"])
async def test_two_publications_and_the_registry_are(world: World, word: str) -> None:
    await world.inventory(LISTED)
    await world.inventory(THIN, 1)
    assert await world.inventory(THIN, 2) == set()
    setattr(world.registry, word, {"13"})
    assert await world.inventory(THIN, 2) == {"13", "13.1", "latest"}
    assert world.store.readings[-1].doubts_over == {DASHBOARD}
    assert await world.inventory(THIN, 3) == set()


async def test_two_publications_are_not_where_the_registry_goes_on(world: World) -> None:
    await world.inventory(LISTED)
    for number in range(1, 5):
        assert await world.inventory(THIN, number, DAY) == set()
    assert world.doubted == [DASHBOARD]


async def test_a_registry_that_is_down_agrees_to_nothing(world: World) -> None:
    world.registry.is_down = True
    await world.inventory(LISTED)
    for number in range(1, 4):
        assert await world.inventory(THIN, number, DAY) == set()


async def test_the_registry_is_asked_once_a_day(world: World) -> None:
    await world.inventory(LISTED)
    await world.inventory(THIN, 1)
    for _ in range(48):
        await world.inventory(THIN, 2)
    assert len(world.registry.asked) == 2


async def test_tags_that_do_not_move_for_long_are_gone(world: World) -> None:
    await world.inventory(LISTED)
    await world.inventory(THIN, 1)
    assert await world.inventory(THIN, 2, STILL_FOR - HOUR) == set()
    assert await world.inventory(THIN, 2) == {"13", "13.1", "latest"}


async def test_a_move_in_the_registry_keeps_a_whole_repository_in_doubt(world: World) -> None:
    await world.inventory(LISTED)
    await world.inventory(THIN, 1)
    world.watch("13", world.clock.now() + 20 * DAY)
    assert await world.inventory(THIN, 2, STILL_FOR) == set()
    assert await world.inventory(THIN, 2, 20 * DAY) == {"13", "13.1", "latest"}


async def test_both_ends_of_one_day_are_believed_on_that_day(world: World) -> None:
    ends = {"8.0": date(2026, 11, 10), "9.0": date(2026, 11, 10), "10.0": date(2028, 11, 14)}
    world.store.releases = {
        f"{number}.1": Release(number, f"{number}.1", NOW, end_of_life=day) for number, day in ends.items()
    }
    await world.inventory(LISTED)
    left = LISTED | {ASPNET: channel("10.0")}
    assert await world.inventory(left, after=datetime(2026, 11, 10, 18, tzinfo=UTC) - world.clock.now()) == {
        *channel("8.0"),
        *channel("9.0"),
    }
    assert world.doubted == []


async def test_a_channel_that_went_before_its_end_is_believed_when_that_comes(world: World) -> None:
    world.store.releases = {"8.0.1": Release("8.0", "8.0.1", NOW, end_of_life=date(2026, 8, 22))}
    await world.inventory(LISTED)
    left = LISTED | {ASPNET: [*channel("9.0"), *channel("10.0")]}
    assert await world.inventory(left) == set()
    assert world.doubted == ["dotnet/aspnet 8.0"]
    assert await world.inventory(left, after=2 * DAY) == set(channel("8.0"))


async def test_the_rest_of_a_doubted_inventory_counts(world: World) -> None:
    await world.inventory(LISTED)
    assert await world.inventory(THIN | {ASPNET: LISTED[ASPNET][1:]}) == {"8.0"}


def releases(*versions: str, **overrides: Any) -> bytes:
    rows = [
        {"release-version": version, "security": True, "cve-list": [{"cve-id": "CVE-2026-0001"}]}
        for version in versions
    ]
    return json.dumps({"channel-version": "10.0", "releases": rows} | overrides).encode()


async def test_a_release_that_its_feed_lists_no_more_is_taken_back(world: World) -> None:
    await world.serve(CHANNEL, releases("10.0.4", "10.0.3", "10.0.2"))
    await world.serve(CHANNEL, releases("10.0.3", "10.0.2"))
    assert world.store.releases["10.0.4"].taken_back_at == world.clock.now()
    assert not world.store.releases["10.0.3"].is_taken_back
    await world.serve(CHANNEL, releases("10.0.4", "10.0.3", "10.0.2"))
    assert not world.store.releases["10.0.4"].is_taken_back
    assert world.store.releases["10.0.4"].published_at == NOW + HOUR


async def test_a_release_beside_one_that_cannot_be_read_is_not_taken_back(world: World) -> None:
    await world.serve(CHANNEL, releases("10.0.4", "10.0.3", "10.0.2"))
    await world.serve(CHANNEL, releases("10.0.3", "10.0.2", "ten"))
    assert not world.store.releases["10.0.4"].is_taken_back


@pytest.mark.parametrize("left", [[], ["10.0.1"]])
async def test_a_channel_that_loses_most_of_its_releases_is_doubted(world: World, left: list[str]) -> None:
    await world.serve(CHANNEL, releases("10.0.4", "10.0.3", "10.0.2", "10.0.1"))
    await world.serve(CHANNEL, releases(*left))
    assert not any(each.is_taken_back for each in world.store.releases.values())
    assert world.doubted == [".NET 10.0"]
    await world.serve(CHANNEL, releases("10.0.4", "10.0.3", "10.0.2", "10.0.1"))
    assert world.doubted == []


def month(*cves: str) -> bytes:
    products = [{"cve_id": cve, "name": "dotnet-runtime", "fixed": "10.0.4"} for cve in cves]
    return json.dumps({"disclosures": [{"id": cve} for cve in cves], "products": products}).encode()


async def test_a_cve_that_its_document_names_no_more_is_taken_back(world: World) -> None:
    await world.serve(MONTH, month("CVE-2026-0001", "CVE-2026-0002", "CVE-2026-0003"))
    await world.serve(MONTH, month("CVE-2026-0001", "CVE-2026-0002"), DAY)
    assert {cve for _, cve in world.store.advisories} == {"CVE-2026-0001", "CVE-2026-0002"}


async def test_a_cve_that_another_document_of_its_source_has_told_since_stays(world: World) -> None:
    await world.serve(MONTH, month("CVE-2026-0001", "CVE-2026-0002"))
    key = ("dotnet-cve", "CVE-2026-0002")
    told = world.store.advisories[key]
    world.store.advisories[key] = replace(told, evidence=(replace(told.evidence[0], locator="another month"),))
    await world.serve(MONTH, month("CVE-2026-0001"), DAY)
    assert key in world.store.advisories


async def test_a_month_that_loses_all_of_its_cves_is_doubted(world: World) -> None:
    await world.serve(MONTH, month("CVE-2026-0001", "CVE-2026-0002"))
    await world.serve(MONTH, month(), DAY)
    assert len(world.store.advisories) == 2
    assert world.doubted == [MONTH.url]


def issue(number: int) -> dict[str, Any]:
    return {
        "number": number,
        "title": f"CVE-2026-{number:04}",
        "html_url": f"https://github.com/dotnet/announcements/issues/{number}",
        "created_at": f"2026-03-{number:02}T10:00:00Z",
        "author_association": "MEMBER",
    }


async def test_what_fell_off_the_end_of_a_list_of_the_newest_was_not_taken_back(world: World) -> None:
    await world.serve(ISSUES, json.dumps([issue(3), issue(2), issue(1)]).encode())
    await world.serve(ISSUES, json.dumps([issue(4), issue(3), issue(2)]).encode())
    assert ("dotnet-announcements", "CVE-2026-0001") in world.store.advisories
    await world.serve(ISSUES, json.dumps([issue(4), issue(2)]).encode())
    assert ("dotnet-announcements", "CVE-2026-0003") not in world.store.advisories
