"""The same store on both databases; each test gets a copy of one that was migrated once."""

import asyncio
import itertools
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from bot.domain.clock import ManualClock
from bot.store.engine.database import Database, open_database
from bot.store.engine.readable import say_once
from tests.integration.store.filling import Stores

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
ENGINES = ["sqlite", "postgresql"]
_numbers = itertools.count(1)


async def _migrate(url: str) -> None:
    await (await open_database(url)).close()


@pytest.fixture(params=ENGINES)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database that nobody has opened yet."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{tmp_path}/store.db"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "store.db"
    asyncio.run(_migrate(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def postgres_template(request: pytest.FixtureRequest) -> str:
    url = str(request.getfixturevalue("postgres").create_database())
    asyncio.run(_migrate(url))
    return url


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def url(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of the test's own, with its tables."""
    if engine == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "store.db")
        return f"sqlite:///{tmp_path}/store.db"
    template = str(request.getfixturevalue("postgres_template"))
    server, _, source = template.rpartition("/")
    name = f"store_{next(_numbers)}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{source}" STRATEGY file_copy')  # type: ignore[arg-type]
    return f"{server}/{name}"


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    opened = await open_database(url)
    yield opened
    await opened.close()


@pytest.fixture(autouse=True)
def nothing_said() -> None:
    """A row that cannot be read is named once by each process, and tests share one."""
    say_once.cache_clear()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
def stores(database: Database, clock: ManualClock) -> Stores:
    """Those of a worker named `first`."""
    return Stores.of_worker(database, clock, "first")
