"""Stores as earlier versions have left them, from what `dumps/` holds of them for each database."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import psycopg
from sqlalchemy import Engine, create_engine

from bot.domain.clock import ManualClock
from bot.store.engine.database import open_database
from bot.store.engine.engines import database_url
from tests.integration.store.conftest import NOON
from tests.integration.store.filling import Stores

DUMPS = Path(__file__).parent / "dumps"


def restore(revision: str, url: str) -> None:
    """Fills the empty database with the store of that revision."""
    engine = url.partition(":")[0]
    dump = (DUMPS / f"{revision}.{engine}.sql").read_text(encoding="utf-8")
    if engine == "postgresql":
        with psycopg.connect(url) as connection:
            connection.execute(dump.encode())
        return
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file:
        file.executescript(dump)


def connected(url: str) -> Engine:
    """Reads and writes the database as it is."""
    driver = "sqlite" if url.startswith("sqlite") else "postgresql+psycopg"
    return create_engine(database_url(url).set(drivername=driver))


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Stores]:
    """The store as the bot of today opens it."""
    database = await open_database(url)
    try:
        yield Stores.of_worker(database, ManualClock(NOON), "today")
    finally:
        await database.close()
