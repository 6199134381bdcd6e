"""The same store on both databases; each test gets a copy of one that was migrated once."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.domain.clock import ManualClock
from bot.store.engine.codec import say_once
from bot.store.engine.database import Database, open_database
from tests.integration.store.filling import Stores
from tests.integration.store.lock_turns import note_locks, out_of_order
from tests.migrated import new_sqlite

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
ENGINES = ["sqlite", "postgresql"]
ON_BOTH = pytest.mark.parametrize("engine", ENGINES, indirect=True)
"""For what replicas do to each other, and so differs on PostgreSQL: `make test` takes it on both databases."""


@pytest.fixture(params=ENGINES)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database that nobody has opened yet."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{tmp_path}/store.db"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.second_database)])
def engine(request: pytest.FixtureRequest) -> str:
    """The contracts hold for both; of the rest, `make test-all` repeats on PostgreSQL what SQLite has shown."""
    return str(request.param)


@pytest.fixture
def url(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of the test's own, with its tables."""
    if engine == "sqlite":
        return new_sqlite(tmp_path / "store.db")
    template = request.getfixturevalue("postgres_template")
    return str(request.getfixturevalue("postgres_databases")(template))


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    opened = await open_database(url)
    yield opened
    await opened.close()


@pytest.fixture(autouse=True)
def nothing_said() -> None:
    """A row that cannot be read is named once by each process, and tests share one."""
    say_once.cache_clear()


@pytest.fixture(autouse=True)
def locked_in_order(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever a test has the store do, no transaction comes to tables in another order than `lock_order`."""
    taken = note_locks(monkeypatch)
    yield
    assert out_of_order(taken) == set()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
def stores(database: Database, clock: ManualClock) -> Stores:
    """Those of a worker named `first`."""
    return Stores.of_worker(database, clock, "first")
