"""OSV's API over real HTTP into a real store: what it costs, what changes, and what happens where it refuses."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest_asyncio

from bot.clients.feeds.dumps import DumpReader, OsvClient
from bot.clients.http.client import HostRules, Http, Limits
from bot.domain.clock import ManualClock
from bot.domain.packages.cves.publication import CvePublication
from bot.domain.packages.cves.vulnerability import Ecosystem
from bot.fleet.watch.vulnerabilities.rows.vulnerabilities import VulnerabilitiesStore
from bot.fleet.watch.vulnerabilities.tick import EVERY, DumpTally, Publishers, tick
from bot.reconcile.loop import Loop
from bot.store.engine.database import open_database
from bot.upstream.osv.addresses import API, DumpSource
from sandbox.edges.edge import Surroundings
from sandbox.edges.serving import Server
from sandbox.feeds.feeds import Feeds, FeedsEdge
from tests.builders import NOON
from tests.integration.store.filling import Stores
from tests.integration.store.holding import SSL, running
from tests.migrated import new_sqlite

FIXED = "3.0.13-0ubuntu3.6"


@dataclass
class Setting:
    """The API on one side, a store with an image that holds OpenSSL on the other."""

    edge: FeedsEdge
    feeds: Feeds
    stores: Stores
    publishers: Publishers

    async def tick(self) -> DumpTally:
        source = DumpSource(CvePublication.UBUNTU, f"{API}{self.feeds.url}")
        return await tick(self.stores[VulnerabilitiesStore], self.publishers, Loop(self.stores.clock), [source])

    def publish(self, number: int, modified: str = "2026-03-05T00:00:00Z", fixed: str = FIXED) -> None:
        events = [{"introduced": "0"}, {"fixed": fixed}]
        listed = {
            "package": {"ecosystem": "Ubuntu:24.04:LTS", "name": "openssl"},
            "ranges": [{"type": "ECOSYSTEM", "events": events}],
        }
        record = {"id": f"UBUNTU-CVE-2026-{number}", "upstream": [f"CVE-2026-{number}"], "affected": [listed]}
        self.feeds.publish_vulnerability("Ubuntu", record | {"modified": modified})

    def requests(self) -> list[str]:
        """What was asked since the last look."""
        paths = [asked.path for asked in self.edge.surroundings.traffic.requests()]
        self.edge.surroundings.traffic.forget()
        return paths

    async def kept(self) -> list[str]:
        return sorted(await self.stores[VulnerabilitiesStore].known_records(Ecosystem.UBUNTU))


@pytest_asyncio.fixture
async def setting(tmp_path: Path) -> AsyncIterator[Setting]:
    clock = ManualClock(NOON)
    server, edge = Server(), FeedsEdge(Surroundings(clock=clock))
    feeds = Feeds(server, edge)
    server.start(edge.app())
    database = await open_database(new_sqlite(tmp_path / "store.db"))
    stores = Stores.of_worker(database, clock, "one")
    await running(stores, SSL)
    try:
        async with Http(clock, {server.host: HostRules(insecure=True)}, Limits(attempts=1)) as http:
            yield Setting(edge, feeds, stores, Publishers(DumpReader(http, 1_000_000), OsvClient(http)))
    finally:
        await database.close()
        server.stop()


async def test_what_is_known_costs_one_request_and_what_changed_one_more_each(setting: Setting) -> None:
    for number in (1001, 1002, 1003):
        setting.publish(number)
    setting.publish(1004, fixed="3.0.13-0ubuntu3.1")
    assert (await setting.tick()).changed == 3
    records = [f"/v1/vulns/UBUNTU-CVE-2026-{number}" for number in (1001, 1002, 1003)]
    asked = setting.requests()
    assert (asked[0], sorted(asked[1:])) == ("/v1/querybatch", records)
    setting.stores.clock.advance(EVERY)
    assert (await setting.tick()).changed == 0
    assert setting.requests() == ["/v1/querybatch"]
    setting.publish(1002, "2026-03-06T00:00:00Z", "3.0.13-0ubuntu3.7")
    setting.stores.clock.advance(EVERY)
    assert (await setting.tick()).changed == 1
    assert setting.requests() == ["/v1/querybatch", records[1]]
    assert len(await setting.kept()) == 3


async def test_pages_are_followed_to_their_end(setting: Setting) -> None:
    setting.edge.page_size = 2
    for number in range(1001, 1006):
        setting.publish(number)
    assert (await setting.tick()).changed == 5
    assert setting.requests().count("/v1/querybatch") == 3


async def test_where_it_refuses_what_was_read_stays_until_it_says(setting: Setting) -> None:
    setting.publish(1001)
    await setting.tick()
    setting.edge.surroundings.faults.add("POST", "/v1/querybatch", status=429, headers={"retry-after": "7200"})
    setting.stores.clock.advance(EVERY)
    [line] = (await setting.tick()).problems
    assert "asks for fewer requests (429)" in line
    setting.requests()
    setting.stores.clock.advance(timedelta(hours=1))
    await setting.tick()
    assert setting.requests() == []
    assert await setting.kept() == ["UBUNTU-CVE-2026-1001"]
    setting.stores.clock.advance(timedelta(hours=1, minutes=5))
    assert (await setting.tick()).read == 1
    assert setting.requests() == ["/v1/querybatch"]
