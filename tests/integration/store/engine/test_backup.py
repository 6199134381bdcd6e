"""Copies as the page for operators says to make them, and restored as it says."""

import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bot.domain.clock import ManualClock
from bot.store.engine.database import open_database
from sandbox.programs.parts import postgres_binaries
from tests.integration.store.conftest import NOON
from tests.integration.store.filling import Stores
from tests.migrated import new_sqlite

PAGE = (Path(__file__).parents[4] / "docs/operate/backup.md").read_text()
SHOP = "contoso/shop-0000"


def blocks(heading: str) -> list[str]:
    """The commands below a heading of the page, a block each."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return [block.partition("```")[0].strip() for block in section.split("```\n")[1::2]]


async def filled(url: str) -> Stores:
    stores = Stores.of_worker(await open_database(url), ManualClock(NOON), "first")
    await stores.fill()
    await stores.plan_all()
    return stores


async def plans(url: str) -> list[tuple[str, str]]:
    """What a bot that is opened on the database goes on with."""
    database = await open_database(url)
    try:
        stores = Stores.of_worker(database, ManualClock(NOON), "second")
        [rollout] = await stores.rollout_views.rollouts(10)
        return [(rebuild.repository, rebuild.state.value) for rebuild in rollout.rebuilds]
    finally:
        await database.close()


def sqlite_copy(command: str, source: Path, copy: Path) -> None:
    """What `python -c` of the page runs, with other places."""
    code = re.search(r'python -c "(.*)"', command)
    assert code is not None, command
    adapted = code[1].replace("/data/freshness.db", str(source)).replace("/data/copy.db", str(copy))
    subprocess.run([sys.executable, "-c", adapted], check=True, timeout=60)


async def test_a_copy_of_sqlite_that_is_made_while_the_bot_writes_is_whole(tmp_path: Path) -> None:
    source, copy = tmp_path / "freshness.db", tmp_path / "copy.db"
    stores = await filled(new_sqlite(source))
    before = await plans(f"sqlite:///{source}")
    in_the_cluster = next(block for block in blocks("SQLite") if "python -c" in block)
    async with stores.database.transaction():  # a writer at work holds nobody up
        sqlite_copy(in_the_cluster, source, copy)
    with sqlite3.connect(copy) as opened:
        assert opened.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    opened.close()

    await stores.database.close()
    for name in ("freshness.db", "freshness.db-wal", "freshness.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    copy.rename(source)
    assert await plans(f"sqlite:///{source}") == before == [(SHOP, "planned")]


async def test_a_dump_of_postgresql_is_restored_into_another_database(postgres_url: str, tmp_path: Path) -> None:
    stores = await filled(postgres_url)
    before = await plans(postgres_url)
    await stores.database.close()
    server, _, name = postgres_url.rpartition("/")
    parsed = urlsplit(postgres_url)
    binaries = postgres_binaries()
    assert binaries is not None
    environment = os.environ | {
        "PATH": f"{binaries}:{os.environ['PATH']}",
        "PGHOST": str(parsed.hostname),
        "PGPORT": str(parsed.port),
        "PGUSER": str(parsed.username),
    }
    [commands] = blocks("PostgreSQL")
    written = commands.replace("postgresql://USER@HOST/NAME", postgres_url).replace("NEW", f"{name}_restored")
    subprocess.run(["bash", "-euc", written], cwd=tmp_path, env=environment, check=True, timeout=120)
    assert await plans(f"{server}/{name}_restored") == before == [(SHOP, "planned")]


@pytest.mark.parametrize("heading", ["SQLite", "PostgreSQL"])
def test_the_page_has_commands_for_both(heading: str) -> None:
    assert blocks(heading)
