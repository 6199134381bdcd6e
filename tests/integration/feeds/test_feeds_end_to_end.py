"""Feeds over real HTTP into a real store: publish, read, keep, fail, recover."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest_asyncio

from bot.clients.feeds.documents import FeedReader
from bot.clients.http.client import HostRules, Http, Limits
from bot.domain.clock import ManualClock
from bot.domain.feeds.document import FeedSource
from bot.domain.packages.cves.marks import CveMark
from bot.fleet.watch.feeds.rows import FeedsStore
from bot.fleet.watch.feeds.tick import FeedsToRead, FeedTally, tick
from bot.reconcile.loop import Loop
from bot.store.engine.database import open_database
from bot.store.engine.queue.claiming import Worker
from bot.store.rows.inventories.marks import read_marks
from bot.upstream.feeds.addresses import KINDS, MARKS
from bot.upstream.feeds.combine import combine_all
from sandbox.edges.edge import Surroundings
from sandbox.edges.serving import Server
from sandbox.feeds.feeds import IMAGE_INFO, INDEX, KEV, RELEASES, Feeds, FeedsEdge
from tests.integration.store.statements import statements
from tests.migrated import new_sqlite
from tests.unit.upstream.feeds.published import published

NOW = datetime(2025, 12, 9, 18, 0, tzinfo=UTC)


@dataclass
class Setting:
    """Published feeds on one side, the bot's stage with its store on the other."""

    feeds: Feeds
    clock: ManualClock
    store: FeedsStore
    reader: FeedReader

    async def tick(self, *names: str) -> FeedTally:
        addresses = self.feeds.addresses
        roots = tuple(FeedSource(KINDS[name], addresses[name]) for name in names)
        return await tick(self.store, self.reader, Loop(self.clock), FeedsToRead(roots))


@pytest_asyncio.fixture
async def setting(tmp_path: Path) -> AsyncIterator[Setting]:
    clock = ManualClock(NOW)
    surroundings = Surroundings(clock=clock)
    server, edge = Server(), FeedsEdge(surroundings)
    feeds = Feeds(server, edge)
    server.start(edge.app())
    database = await open_database(new_sqlite(tmp_path / "feeds.db"))
    rules = {server.host: HostRules(insecure=True)}
    try:
        async with Http(clock, rules, Limits(attempts=1)) as http:
            reader = FeedReader(http, clock, frozenset({server.host}))
            worker = Worker("one", timedelta(minutes=5))
            yield Setting(feeds, clock, FeedsStore(database, worker, clock), reader)
    finally:
        await database.close()
        server.stop()


async def test_every_feed_is_read_kept_and_then_only_confirmed(setting: Setting) -> None:
    setting.feeds.publish_release("8.0", "8.0.21", sdks=["8.0.415"], cves=["CVE-2025-55315"], on=date(2025, 10, 14))
    document = published("msrc-cvrf-2025-Jun.xml")
    setting.feeds.publish_bulletin("2025-Jun", document, released=datetime(2025, 6, 10, 7, tzinfo=UTC))
    pack = "Microsoft.AspNetCore.App.Runtime.linux-musl-x64"
    setting.feeds.publish_advisory(
        "CVE-2025-55315", severity="critical", package=pack, affected="<= 8.0.20", patched="8.0.21"
    )
    setting.feeds.put(IMAGE_INFO, published("image-info-2025-12-17-ac8d5082.json"))
    setting.feeds.publish_disclosures(2025, 10, published("dotnet-cve-2025-10.json"))
    setting.feeds.publish_image_announcement(6821, "Image advisory: cve-2025-55315 in images of .NET")
    first = await setting.tick(*KINDS)
    assert (first.read, first.failed, first.problems) == (11, [], [])
    assert (await setting.store.known_releases())["8.0.21"].cves == ("CVE-2025-55315",)
    combined = combine_all(await setting.store.advisories())
    assert list(combined) == ["CVE-2025-30399", "CVE-2025-55247", "CVE-2025-55248", "CVE-2025-55315"]
    assert combined["CVE-2025-55315"].systems == {"musl", "windows", "macos"}
    assert combined["CVE-2025-55315"].links[-1] == "https://github.com/dotnet/dotnet-docker/discussions/6821"
    setting.clock.advance(timedelta(hours=6))
    second = await setting.tick(*KINDS)
    assert (second.read, second.unchanged, second.failed) == (0, 11, [])


async def test_disclosures_of_a_new_month_are_read_as_soon_as_the_timeline_lists_them(setting: Setting) -> None:
    setting.feeds.publish_disclosures(2025, 10, published("dotnet-cve-2025-10.json"))
    assert (await setting.tick("dotnet_cve")).read == 3
    setting.clock.advance(timedelta(minutes=15))
    november = published("dotnet-cve-2025-10.json").replace(b"CVE-2025-55315", b"CVE-2025-99999")
    setting.feeds.publish_disclosures(2025, 11, november)
    tally = await setting.tick("dotnet_cve")
    assert (tally.read, tally.unchanged, tally.failed) == (2, 2, [])
    assert "CVE-2025-99999" in combine_all(await setting.store.advisories())


async def test_a_release_whose_cves_come_later_keeps_both_first_sights(setting: Setting) -> None:
    setting.feeds.publish_release("8.0", "8.0.21", sdks=["8.0.415"])
    await setting.tick("dotnet_releases")
    published_at = setting.clock.advance(timedelta(hours=1))
    setting.feeds.publish_release("8.0", "8.0.22", sdks=["8.0.416"])
    assert [r.version for r in (await setting.tick("dotnet_releases")).newly_published] == ["8.0.22"]
    listed_at = setting.clock.advance(timedelta(hours=4))
    setting.feeds.publish_release("8.0", "8.0.22", sdks=["8.0.416"], cves=["CVE-2025-0001"])
    await setting.tick("dotnet_releases")
    kept = (await setting.store.known_releases())["8.0.22"]
    assert kept.cves == ("CVE-2025-0001",)
    assert (kept.published_at, kept.cves_listed_at) == (published_at, listed_at)


async def test_a_feed_that_turns_to_garbage_recovers_without_loss(setting: Setting) -> None:
    setting.feeds.publish_release("8.0", "8.0.21", sdks=["8.0.415"])
    await setting.tick("dotnet_releases")
    setting.clock.advance(timedelta(hours=1))
    setting.feeds.put(f"{RELEASES}/8.0/releases.json", b"<html>Service unavailable</html>", "text/html")
    (line,) = (await setting.tick("dotnet_releases")).failed
    assert "is no JSON" in line
    assert "the last good copy stays in use (confirmed 2025-12-09 18:00 UTC)" in line
    assert list(await setting.store.known_releases()) == ["8.0.21"]
    setting.clock.advance(timedelta(hours=1))
    setting.feeds.put(
        f"{RELEASES}/8.0/releases.json",
        b'{"channel-version": "8.0", "releases": [{"release-version": "8.0.22"}, {"release-version": "8.0.21"}]}',
    )
    tally = await setting.tick("dotnet_releases")
    assert tally.failed == []
    assert [release.version for release in tally.newly_published] == ["8.0.22"]


async def test_an_index_that_names_another_host_leads_nowhere(setting: Setting) -> None:
    row = '{"channel-version": "8.0", "latest-release": "8.0.22", "releases.json": "http://127.0.0.1:9/releases.json"}'
    setting.feeds.put(INDEX, f'{{"releases-index": [{row}]}}'.encode())
    (line,) = (await setting.tick("dotnet_releases")).failed
    assert line.startswith("127.0.0.1:9: feeds are not read from this host")


async def test_a_withdrawn_feed_is_missing_and_its_copy_stays(setting: Setting) -> None:
    setting.feeds.put(IMAGE_INFO, published("image-info-2025-12-17-ac8d5082.json"))
    await setting.tick("image_info")
    setting.feeds.withdraw(IMAGE_INFO)
    setting.clock.advance(timedelta(days=2))
    tally = await setting.tick("image_info")
    assert "is not there (404)" in tally.failed[0]
    assert "was last read 2 days ago" in tally.stale[0]


async def test_marks_are_read_and_a_days_change_writes_what_changed(setting: Setting) -> None:
    feeds = {MARKS[name]: url for name, url in setting.feeds.marks.items()}
    roots = FeedsToRead(tuple(FeedSource(kind, url) for kind, url in feeds.items()))

    async def read() -> FeedTally:
        return await tick(setting.store, setting.reader, Loop(setting.clock), roots)

    async def marked() -> dict[str, CveMark]:
        async with setting.store._database.reading() as connection:
            return await read_marks(connection, [f"CVE-2026-{number}" for number in range(1000, 1010)])

    setting.feeds.publish_known_exploited({"CVE-2026-1001": date(2025, 12, 8)})
    scores = {f"CVE-2026-{number}": 0.01 for number in range(1000, 1005)}
    setting.feeds.publish_epss(scores)
    first = await read()
    assert (first.read, first.failed, first.problems) == (2, [], [])
    assert (await marked())["CVE-2026-1001"] == CveMark(True, date(2025, 12, 8), 0.01)
    setting.clock.advance(timedelta(hours=5))
    assert (await read()).unchanged == 0, "they are asked for every six hours"
    setting.clock.advance(timedelta(hours=1))
    assert (await read()).unchanged == 2
    setting.feeds.publish_epss({**scores, "CVE-2026-1002": 0.5})
    setting.clock.advance(timedelta(hours=6))
    with statements(setting.store._database.engine) as told:
        await read()
    written = [each for each in told if "epss_scores" in each and not each.startswith("SELECT")]
    assert len(written) == 1
    assert (await marked())["CVE-2026-1002"].epss == 0.5
    setting.feeds.put(KEV, b'{"vulnerabilities": []}')
    setting.clock.advance(timedelta(hours=6))
    assert "lists no vulnerability" in (await read()).failed[0]
    assert (await marked())["CVE-2026-1001"].is_exploited
