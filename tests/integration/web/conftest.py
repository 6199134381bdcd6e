"""The page over a store of the test's own, asked as a browser or a program asks it."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.domain.clock import ManualClock
from bot.domain.rollouts.policy import Policy
from bot.domain.rollouts.timing.waiting import rollout_options_of
from bot.fleet.heartbeats import Heartbeats
from bot.fleet.meter import Meter
from bot.fleet.standing.rows import StandingStore
from bot.settings.tokens import parse
from bot.store.engine.database import Database, open_database
from bot.store.engine.queue.claiming import Worker
from bot.store.pages.ledger.ledger import LedgerStore
from bot.store.stores import Stores
from bot.web.access.connections import Rates
from bot.web.app import app_of
from bot.web.site import Site, WebAccess
from sandbox.stored_fleet.fleet import StoredFleet
from tests.migrated import new_sqlite

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
READER, ACTOR, SCRAPER = "r" * 32, "a" * 32, "m" * 32
TOKENS = parse(f"rita read {READER}\nalice act {ACTOR}\nprometheus metrics {SCRAPER}\n")


MARK = "\"><script>alert('x')</script><img src=x onerror=y>{{7*7}}<!channel>@everyone"
"""Put into every text of the filled store that people or forges can write."""


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return asyncio.run(_written(tmp_path_factory.mktemp("web") / "empty.db", None))


@pytest.fixture(scope="session")
def filled_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fleet of sixty repositories."""
    size = {"repositories": 60, "usages": 3, "mark": MARK}
    return asyncio.run(_written(tmp_path_factory.mktemp("web") / "filled.db", size))


async def _written(path: Path, size: dict[str, Any] | None) -> Path:
    database = await open_database(new_sqlite(path))
    if size is not None:
        await StoredFleet(database, NOON, **size).write()
        stores = Stores(database, Worker("web"), ManualClock(NOON))
        await stores[StandingStore].count()
        await stores[LedgerStore].keep()
    await database.close()
    return path


@asynccontextmanager
async def opened_copy(store: Path, folder: Path) -> AsyncIterator[Database]:
    """A store of the test's own; modules that want another one than the empty put their own `database` here."""
    shutil.copy(store, folder / "store.db")
    opened = await open_database(f"sqlite:///{folder}/store.db")
    yield opened
    await opened.close()


@pytest.fixture
async def database(empty_store: Path, tmp_path: Path) -> AsyncIterator[Database]:
    async with opened_copy(empty_store, tmp_path) as opened:
        yield opened


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
def site(database: Database, clock: ManualClock) -> Site:
    """Its only stage has just begun."""
    beats = Heartbeats()
    beats.expect({"watch": timedelta(seconds=10)}, NOON)
    return Site(
        clock=clock,
        stores=Stores(database, Worker("web"), clock),
        beats=beats,
        meter=Meter(),
        access=WebAccess(TOKENS),
        rollout_options=rollout_options_of(Policy()),
        forge="https://github.example",
        rates=Rates(),
    )


Asking = Callable[..., httpx.AsyncClient]


@pytest.fixture
async def asking(site: Site) -> AsyncIterator[Asking]:
    """Makes a client: `asking()` is nobody, `asking(READER)` shows a token."""
    clients: list[httpx.AsyncClient] = []

    def client(token: str | None = None, of: Site = site, peer: str = "203.0.113.9") -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app_of(of), client=(peer, 50_000))
        headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
        clients.append(httpx.AsyncClient(transport=transport, base_url="http://page.example", headers=headers))
        return clients[-1]

    yield client
    for each in clients:
        await each.aclose()
