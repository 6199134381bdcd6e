"""Dumps of vulnerabilities over real HTTP into a real store."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest_asyncio

from bot.clients.feeds.dumps import DumpReader, OsvClient
from bot.clients.http.client import HostRules, Http, Limits
from bot.domain.clock import ManualClock
from bot.domain.packages.cves.publication import CvePublication
from bot.fleet.watch.vulnerabilities.rows.vulnerabilities import VulnerabilitiesStore
from bot.fleet.watch.vulnerabilities.tick import EVERY, DumpTally, Publishers, tick
from bot.reconcile.loop import Loop
from bot.store.engine.database import Database, open_database
from bot.store.engine.queue.claiming import Worker
from bot.store.rows.inventories.inventories import inventories, packages
from bot.store.views.fleet import FleetViewsStore
from bot.upstream.osv.addresses import DumpSource
from sandbox.edges.edge import Surroundings
from sandbox.edges.serving import Server
from sandbox.feeds.feeds import Feeds, FeedsEdge
from tests.builders import NOON
from tests.migrated import new_sqlite
from tests.unit.upstream.osv.ovals import definition, document

GHSA = "GHSA-aaaa-bbbb-cccc"


@dataclass
class Setting:
    """A published dump on one side, the bot's stage with its store on the other."""

    feeds: Feeds
    clock: ManualClock
    database: Database
    worker: Worker
    reader: DumpReader
    http: Http

    async def tick(self) -> DumpTally:
        source = DumpSource(CvePublication.NUGET, self.feeds.dump_address("NuGet"))
        store = VulnerabilitiesStore(self.database, self.worker, self.clock)
        publishers = Publishers(self.reader, OsvClient(self.http))
        return await tick(store, publishers, Loop(self.clock), [source])

    def publish(self, name: str = GHSA, package: str = "Serilog") -> None:
        listed = {
            "package": {"ecosystem": "NuGet", "name": package},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "4.0.1"}]}],
        }
        self.feeds.publish_vulnerability("NuGet", {"id": name, "aliases": ["CVE-2026-1001"], "affected": [listed]})


@pytest_asyncio.fixture
async def setting(tmp_path: Path) -> AsyncIterator[Setting]:
    clock = ManualClock(NOON)
    server, edge = Server(), FeedsEdge(Surroundings(clock=clock))
    feeds = Feeds(server, edge)
    server.start(edge.app())
    database = await open_database(new_sqlite(tmp_path / "store.db"))
    async with database.transaction() as connection:
        row = {"key": "1", "type": "nuget", "name": "serilog", "version": "4.0.0"}
        await connection.execute(packages.insert().values(**row))
    try:
        async with Http(clock, {server.host: HostRules(insecure=True)}, Limits(attempts=1)) as http:
            worker = Worker("one", timedelta(minutes=5))
            yield Setting(feeds, clock, database, worker, DumpReader(http, 1_000_000), http)
    finally:
        await database.close()
        server.stop()


async def test_a_dump_is_read_kept_confirmed_and_read_again_once_it_changed(setting: Setting) -> None:
    setting.publish()
    setting.publish("GHSA-dddd-eeee-ffff", "Other")
    first = await setting.tick()
    assert (first.read, first.changed, first.problems) == (1, 1, [])
    setting.clock.advance(EVERY)
    assert (await setting.tick()).unchanged == 1
    setting.publish("GHSA-gggg-hhhh-iiii")
    setting.clock.advance(EVERY)
    assert (await setting.tick()).changed == 1
    [told] = (await FleetViewsStore(setting.database, setting.worker, setting.clock).status()).dumps
    assert (told.entries, told.kept, told.error) == (3, 2, None)


async def test_a_dump_that_turns_to_garbage_leaves_what_was_read(setting: Setting) -> None:
    setting.publish()
    await setting.tick()
    setting.feeds.put("/osv/NuGet/all.zip", b"<html>", "application/zip")
    setting.clock.advance(EVERY)
    [line] = (await setting.tick()).problems
    assert "is no zip archive" in line
    [told] = (await FleetViewsStore(setting.database, setting.worker, setting.clock).status()).dumps
    assert (told.kept, told.error) == (1, line)


async def test_oval_is_read_by_the_same_stage_and_asked_for_only_where_an_image_is_of_its_release(
    setting: Setting,
) -> None:
    setting.feeds.put("/oval/azurelinux-3.0-oval.xml", document(definition("35400")), "text/plain")
    address = setting.feeds.dump_address("NuGet").replace("osv/NuGet/all.zip", "oval/azurelinux-3.0-oval.xml")
    source = DumpSource(CvePublication.AZURE_LINUX_3_OVAL, address)
    store = VulnerabilitiesStore(setting.database, setting.worker, setting.clock)

    async def ticked() -> DumpTally:
        publishers = Publishers(setting.reader, OsvClient(setting.http))
        return await tick(store, publishers, Loop(setting.clock), [source])

    assert (await ticked()).read == 0
    async with setting.database.transaction() as connection:
        azure = {"id": "azurelinux", "version": "3.0"}
        row = {
            "digest": "sha256:a",
            "platform": "linux/amd64",
            "distribution": azure,
            "read_at": NOON,
            "seen_at": NOON,
            "due_at": NOON,
        }
        await connection.execute(inventories.insert().values(**row))
        zlib = {"key": "2", "type": "rpm", "name": "zlib", "version": "1.2-1.azl3"}
        await connection.execute(packages.insert().values(**zlib))
    setting.clock.advance(EVERY)
    first = await ticked()
    assert (first.read, first.changed, first.problems) == (1, 1, [])
    setting.clock.advance(EVERY)
    assert (await ticked()).unchanged == 1
    [told] = (await FleetViewsStore(setting.database, setting.worker, setting.clock).status()).dumps
    assert (told.ecosystem, told.entries, told.kept, told.error) == ("Azure Linux 3 OVAL", 1, 1, None)
    assert told.newest_at is not None
    assert f"{told.newest_at:%Y-%m-%d}" == "2024-07-23"
