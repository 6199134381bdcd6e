"""The page on loopback, in a thread with a loop of its own: for browsers and for tools that ask by HTTP."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.domain.clock import SystemClock
from bot.domain.rollouts.policy import Policy
from bot.plan.advance import rollout_options_of
from bot.store.engine.database import open_database
from bot.store.engine.queue import Worker
from bot.store.stores import Stores
from bot.web.access.rates import Bucket, Rates
from bot.web.access.tokens import parse
from bot.web.app import app_of
from bot.web.heartbeats import Heartbeats
from bot.web.metrics.meter import Meter
from bot.web.serving import bound, serving
from bot.web.site import Gate, Site
from tests.integration.web.large_fleet import LargeFleet

TOKEN = "a" * 32
STAGES = ("discover", "feeds", "watch", "assess", "plan", "act", "follow", "report")


@contextmanager
def served(folder: Path, **size: object) -> Iterator[str]:
    """A fleet of that size, as `LargeFleet` takes it; the address that it is served on."""
    ready, addresses = threading.Event(), [""]
    loops: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def serve() -> None:
        stop = asyncio.Event()
        loops.append((asyncio.get_running_loop(), stop))
        database = await open_database(f"sqlite:///{folder}/page.db")
        clock = SystemClock()
        try:
            await LargeFleet(database, datetime.now(UTC), **size).write()  # type: ignore[arg-type]
            stores = Stores.of(database, Worker("web"), clock)
            await stores.standing.count()
            beats = Heartbeats()
            beats.expect(dict.fromkeys(STAGES, timedelta(seconds=10)), clock.now())
            site = Site(
                clock=clock,
                stores=stores,
                beats=beats,
                meter=Meter(),
                gate=Gate(parse(f"alice act {TOKEN}")),
                rollout_options=rollout_options_of(Policy()),
                forge="https://github.com",
                rates=Rates(Bucket(1_000_000, 1_000_000)),
            )
            with bound("127.0.0.1:0") as listening:
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
