"""A full disk as a person meets it who asks beside the service, or while none runs."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.full_disk import fill, small_disk
from tests.integration.cli.conftest import Command
from tests.integration.cli.settings_files import with_token


@pytest.fixture
def config(tmp_path: Path) -> Iterator[Path]:
    """Settings whose database lies on a small disk."""
    with small_disk(tmp_path / "small", 4) as disk:
        yield with_token(disk)


@pytest.fixture
def opened(config: Path) -> Iterator[None]:
    """A service has the database open, so that the files beside it are there."""
    with closing(sqlite3.connect(config.with_name("freshness.db"))) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("DELETE FROM budgets")
        connection.commit()
        yield


@pytest.mark.usefixtures("opened")
def test_status_says_so_first_and_shows_what_was_kept(bot: Command, config: Path) -> None:
    assert json.loads(bot("status", "-c", config, "-f", "json").out)["no_room"] is None
    fill(config.parent)
    ran = bot("status", "-c", config)
    assert ran.code == 0
    first, second, *_ = ran.out.splitlines()
    assert first.startswith(
        "The bot stands still, or soon will: the database has no room left: 0 KiB are free on its disk"
    )
    assert f"make room where {config.with_name('freshness.db')} lies" in first
    assert second == "Nothing needs you; 0 repositories on 0 bases"
    assert json.loads(bot("status", "-c", config, "-f", "json").out)["no_room"].startswith(
        "the database has no room"
    )


@pytest.mark.usefixtures("opened")
def test_doctor_says_so(bot: Command, config: Path) -> None:
    fill(config.parent)
    checks = json.loads(bot("doctor", "-c", config, "-f", "json").out)["checks"]
    (store,) = [check for check in checks if check["area"] == "store"]
    assert store["verdict"] == "wrong"
    assert store["found"].startswith("the database has no room left")


def test_where_no_service_runs_that_is_why_the_database_cannot_be_opened(bot: Command, config: Path) -> None:
    fill(config.parent)
    ran = bot("status", "-c", config)
    assert ran.code == 2
    assert f"make room where {config.with_name('freshness.db')} lies" in ran.err
