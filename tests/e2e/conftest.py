"""What tests of the whole bot ask for: a database, and a fleet that has settled."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.beginnings import drop_all
from tests.e2e.sample import MOVED, PATCHED, PUBLISHED, SETTLED
from tests.migrated import new_sqlite


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Everything end to end holds on both databases; PostgreSQL repeats what SQLite has shown."""
    if request.param == "sqlite":
        return new_sqlite(tmp_path / "freshness.db")
    template = request.getfixturevalue("postgres_template")
    return str(request.getfixturevalue("postgres_databases")(template))


stage = SETTLED.fixture()
published = PUBLISHED.fixture()
patched = PATCHED.fixture()
moved = MOVED.fixture()


@pytest.fixture(scope="session", autouse=True)
def _drop_beginnings() -> Iterator[None]:
    yield
    drop_all()
