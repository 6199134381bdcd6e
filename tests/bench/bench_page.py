"""Every page over 5,000 repositories with 60,000 usages on SQLite: processor time, queries, bytes.

Where an answer holds for a while, the first who asks counts as well. It is measured in a process as the service is:
with all tables known, and looks for what nobody refers to as seldom.
"""

import asyncio
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
from sqlalchemy import Engine, event

from bot.fleet.standing.rows import StandingStore
from bot.fleet.wiring.collecting import collected_seldom
from bot.store.engine.database import Database, open_database
from bot.store.pages.ledger.ledger import LedgerStore
from bot.store.rows.schema import every_table
from bot.web.app import app_of
from sandbox.stored_fleet.fleet import StoredFleet
from sandbox.stored_fleet.pages import PAGES
from sandbox.stored_fleet.serving import NOW, READER, site_over
from tests.bench.measured import Measured

REPOSITORIES, USAGES = 5_000, 12
SECONDS, BYTES, QUERIES = 0.150, 100_000, 30
FIRST_SECONDS = {"CVEs": 0.3, "CVE": 3.0, "operations": 0.3}
"""Of pages whose answer holds for a while: what it takes where nobody has asked for it yet."""
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Loaded:
    """One page: the least processor time of some tries, that of the first, its size, and how many statements."""

    name: str
    first: float
    seconds: float
    size: int
    queries: int
    first_queries: int = 0

    @property
    def is_small(self) -> bool:
        """Whether bytes and queries are within their aims, which no other program changes."""
        return self.size <= BYTES and self.queries <= QUERIES

    @property
    def is_within(self) -> bool:
        is_soon = self.first <= FIRST_SECONDS.get(self.name, self.first)
        return self.seconds <= SECONDS and is_soon and self.is_small

    def __str__(self) -> str:
        first = f"{self.first * 1000:.0f} ms, {self.first_queries} queries at first, "
        first = first if self.name in FIRST_SECONDS else ""
        return f"{first}{self.seconds * 1000:.0f} ms, {self.size / 1000:.0f} kB, {self.queries} queries"


def run() -> list[Measured]:
    aim = f"below {SECONDS * 1000:.0f} ms, {BYTES / 1000:.0f} kB, {QUERIES} queries"
    every_table()
    with collected_seldom():
        pages = asyncio.run(_measured())
    return [
        Measured(f"page over 5,000 repositories: {each.name}", str(each), aim, each.is_within) for each in pages
    ]


async def _measured() -> list[Loaded]:
    with tempfile.TemporaryDirectory() as folder:
        database = await open_database(f"sqlite:///{folder}/page.db")
        try:
            await StoredFleet(database, NOW, REPOSITORIES, USAGES).write()
            return await measured(database)
        finally:
            await database.close()


async def measured(database: Database, tries: int = _TRIES) -> list[Loaded]:
    """All pages over a fleet that is in the database."""
    site = site_over(database)
    await site.stores[StandingStore].count()
    await site.stores[LedgerStore].keep()
    transport = httpx.ASGITransport(app_of(site))
    headers = {"Authorization": f"Bearer {READER}"}
    found = []
    async with httpx.AsyncClient(transport=transport, base_url="http://page.example", headers=headers) as client:
        for name, path in PAGES.items():
            took, asked = [], []
            for _ in range(tries):
                with counted() as statements:
                    began = time.process_time()
                    answer = await client.get(path)
                    took.append(time.process_time() - began)
                asked.append(len(statements))
            answer.raise_for_status()
            found.append(Loaded(name, took[0], min(took), len(answer.content), asked[-1], asked[0]))
    return found


@contextmanager
def counted() -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(Engine, "before_cursor_execute", note)
