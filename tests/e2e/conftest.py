"""What tests of the whole bot ask for: a database, and a fleet that has settled."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.beginnings import beginning, drop_all
from tests.e2e.publishing import move, publish
from tests.e2e.staging import Stage, settled
from tests.migrated import new_sqlite


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Everything end to end holds on both databases; PostgreSQL repeats what SQLite has shown."""
    if request.param == "sqlite":
        return new_sqlite(tmp_path / "freshness.db")
    template = request.getfixturevalue("postgres_template")
    return str(request.getfixturevalue("postgres_databases")(template))


SETTLED = beginning(settled)
PUBLISHED = SETTLED.then(publish)
stage = SETTLED.fixture()
"""The sample fleet, settled: its bases are known, nothing has happened yet (on SQLite)."""
published = PUBLISHED.fixture()
"""The sample fleet, whose bases were patched after it had settled; the bot has not seen that yet."""
patched = PUBLISHED.then(Stage.run_pass).fixture()
"""The same, and the bot has acted on it in one pass."""
moved = SETTLED.then(move).fixture()
"""The sample fleet, whose base of aspnet has moved before any feed lists the release, after the next pass."""


@pytest.fixture(scope="session", autouse=True)
def _drop_beginnings() -> Iterator[None]:
    yield
    drop_all()
