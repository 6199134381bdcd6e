"""A bot that reads the recommended sources of CVEs: `python -m tests.bench.sources_read ADDRESS FOLDER`.

For each line that comes it reads all that is due six hours or more later, and answers with a line of JSON: seconds
of processor time, bytes on disk, the most memory, and how many records were written.
"""

import asyncio
import json
import resource
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import insert

from bot.clients.feeds.documents import FeedReader
from bot.clients.feeds.dumps import DumpReader, OsvClient
from bot.clients.http.client import HostRules, Http
from bot.domain.clock import ManualClock
from bot.domain.feeds.document import FeedKind, FeedSource
from bot.domain.packages.package import Distribution
from bot.fleet.watch.feeds.rows import FeedsStore
from bot.fleet.watch.feeds.tick import FeedsToRead
from bot.fleet.watch.feeds.tick import tick as read_feeds
from bot.fleet.watch.vulnerabilities.rows.vulnerabilities import VulnerabilitiesStore
from bot.fleet.watch.vulnerabilities.tick import Publishers
from bot.fleet.watch.vulnerabilities.tick import tick as read_dumps
from bot.reconcile.loop import Loop
from bot.store.engine.codec import dump
from bot.store.engine.database import Database, open_database
from bot.store.engine.queue.claiming import Worker
from bot.store.rows.inventories.inventories import inventories, packages
from bot.store.stores import Stores
from bot.upstream.osv.addresses import PUBLICATIONS, RECOMMENDED, DumpSource
from bot.upstream.osv.dump import MOST_BYTES
from tests.own_memory import most_memory

NOON = datetime(2026, 3, 12, 12, 0, tzinfo=UTC)
RELEASES = {"ubuntu": "24.04", "debian": "13", "alpine": "3.22.1", "azurelinux": "3.0", "mariner": "2.0"}
NAMES = 240
"""Packages that images hold; each is one of those of every distribution."""
FEEDS = {"epss": FeedKind.EPSS, "known_exploited": FeedKind.KEV}


async def main(address: str, folder: Path) -> None:
    path = folder / "store.db"
    database = await open_database(f"sqlite:///{path}")
    clock = ManualClock(NOON)
    try:
        await _hold_images(database)
        stores = Stores(database, Worker("bench"), clock)
        host = urlsplit(address).netloc
        async with Http(clock, hosts={host: HostRules(insecure=True)}) as http:
            reader = FeedReader(http, clock, frozenset({host}))
            while await asyncio.to_thread(sys.stdin.readline):
                print(json.dumps(await _read(stores, http, reader, clock, address, path)), flush=True)
                clock.advance(timedelta(days=1))
    finally:
        await database.close()


async def _read(
    stores: Stores, http: Http, reader: FeedReader, clock: ManualClock, address: str, path: Path
) -> Mapping[str, Any]:
    seconds: dict[str, float] = {}
    written = 0
    publishers = Publishers(DumpReader(http, MOST_BYTES), OsvClient(http))
    endings = {key: "" if PUBLICATIONS[key].is_oval else ".zip" for key in RECOMMENDED}
    sources = [DumpSource(PUBLICATIONS[key], f"{address}/{key}{ending}") for key, ending in endings.items()]
    began = _processor_time()
    tally = await read_dumps(stores[VulnerabilitiesStore], publishers, Loop(clock), sources)
    written += tally.changed
    seconds["dumps and OVAL"] = _processor_time() - began
    began = _processor_time()
    feeds = FeedsToRead(tuple(FeedSource(kind, f"{address}/{key}") for key, kind in FEEDS.items()))
    told = await read_feeds(stores[FeedsStore], reader, Loop(clock), feeds)
    seconds["EPSS and CISA"] = _processor_time() - began
    if problems := [*tally.problems, *told.failed, *told.problems]:
        raise RuntimeError(problems[0])
    kept = sum(each.stat().st_size for each in path.parent.glob("store.db*"))
    return {
        "seconds": sum(seconds.values()),
        "each": ", ".join(f"{name} {each:.1f} s" for name, each in seconds.items()),
        "disk": kept,
        "memory": most_memory(),
        "written": written,
    }


async def _hold_images(database: Database) -> None:
    """One image of each distribution, all with packages of the same names."""
    rows = [
        {
            "id": number,
            "digest": f"sha256:{number:064}",
            "platform": "linux/amd64",
            "distribution": dump(Distribution(name, version), Distribution),
            "seen_at": NOON,
            "read_at": NOON,
            "problems": [],
            "is_complete": True,
            "due_at": NOON,
        }
        for number, (name, version) in enumerate(RELEASES.items(), 1)
    ]
    types = ("deb", "apk", "rpm", "nuget")
    held = [(kind, f"package{number}") for kind in types for number in range(NAMES)]
    several = [
        {"id": number, "key": f"{number:064}", "type": kind, "name": name, "version": "1.5-1", "source": None}
        for number, (kind, name) in enumerate(held, 1)
    ]
    async with database.transaction() as connection:
        await connection.execute(insert(inventories), rows)
        await connection.execute(insert(packages), several)


def _processor_time() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
