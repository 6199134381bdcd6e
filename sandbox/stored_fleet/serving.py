"""The page over a stored fleet on loopback, in a thread with a loop of its own: for browsers and other tools."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.domain.clock import ManualClock
from bot.domain.rollouts.timing.waiting import RolloutOptions
from bot.fleet.heartbeats import Heartbeats
from bot.fleet.meter import Meter
from bot.fleet.standing.rows import StandingStore
from bot.settings.tokens import parse
from bot.store.engine.database import Database, open_database
from bot.store.engine.queue.claiming import Worker
from bot.store.pages.ledger.ledger import LedgerStore
from bot.store.stores import Stores
from bot.web.access.connections import Bucket, Rates
from bot.web.app import app_of
from bot.web.serving import bound, serving
from bot.web.site import Site, WebAccess
from sandbox.programs.processes import ANY_PORT
from sandbox.stored_fleet.fleet import StoredFleet
from sandbox.stored_fleet.rollouts import WAVES

TOKEN = "a" * 32
READER = "r" * 32
NOW = datetime(2026, 11, 24, 14, 20, tzinfo=UTC)
STAGES = ("discover", "feeds", "watch", "assess", "plan", "act", "follow", "images", "report")


@contextmanager
def served(folder: Path, *, repositories: int, usages: int, mark: str = "") -> Iterator[str]:
    """The address that such a fleet is served on; empty is a store with nothing in it (0 repositories)."""
    ready, addresses = threading.Event(), [""]
    loops: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def serve() -> None:
        stop = asyncio.Event()
        loops.append((asyncio.get_running_loop(), stop))
        database = await open_database(f"sqlite:///{folder}/page.db")
        try:
            if repositories:
                await StoredFleet(database, NOW, repositories, usages, mark).write()
            site = site_over(database)
            await site.stores[StandingStore].count()
            await site.stores[LedgerStore].keep()
            with bound(ANY_PORT) as listening:
                addresses[0] = "http://{}:{}".format(*listening.getsockname())
                async with serving(app_of(site), listening):
                    ready.set()
                    await stop.wait()
        finally:
            await database.close()
            ready.set()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        ready.wait(120)
        yield addresses[0]
    finally:
        for loop, stop in loops:
            loop.call_soon_threadsafe(stop.set)
        thread.join(30)


def site_over(database: Database) -> Site:
    """A site as the service makes it, at a fixed time, with one person who acts and one who reads."""
    clock = ManualClock(NOW)
    beats = Heartbeats()
    beats.expect(dict.fromkeys(STAGES, timedelta(seconds=10)), NOW - timedelta(days=9))
    for number, stage in enumerate(STAGES):
        beats.began(stage, NOW - timedelta(seconds=9 - number))
        if stage != "act":
            beats.ended(stage, NOW - timedelta(seconds=8 - number))
    return Site(
        clock=clock,
        stores=Stores(database, Worker("web"), clock),
        beats=beats,
        meter=Meter(),
        access=WebAccess(parse(f"alice act {TOKEN}\nrita read {READER}")),
        rollout_options=RolloutOptions(WAVES),
        forge="https://github.com",
        rates=Rates(Bucket(1_000_000, 1_000_000), Bucket(1_000_000, 1_000_000)),
    )
