"""Opening, migrating and rehearsing."""

import asyncio
import sqlite3
import subprocess
import sys
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, make_url, text
from sqlalchemy.exc import TimeoutError as ConnectionsTaken
from sqlalchemy.ext.asyncio import create_async_engine
from structlog.testing import capture_logs

from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, Trouble
from bot.store.engine.database import Database, open_database
from bot.store.engine.engines import database_url
from bot.store.engine.failures import cannot_be_opened
from bot.store.engine.snapshot import snapshot
from bot.store.rows.schema import every_table, metadata
from tests.children import started
from tests.integration.store.conftest import NOON
from tests.integration.store.filling import Stores
from tests.migrated import new_sqlite

ROOT = Path(__file__).resolve().parents[4]
_MORE_THAN_CONNECTIONS = 20
"""Readers at once; the pool of connections has fewer."""
OPEN = "import asyncio,sys; from bot.store.engine.database import open_database as o; asyncio.run(o(sys.argv[1]))"


async def test_a_new_store_has_the_tables_as_they_are_written(empty_url: str) -> None:
    every_table()
    database = await open_database(empty_url)
    async with database.transaction() as connection:
        found = await connection.run_sync(
            lambda plain: compare_metadata(MigrationContext.configure(plain), metadata)
        )
    await database.close()
    assert found == []


async def test_opening_again_changes_nothing(database: Database, stores: Stores, url: str) -> None:
    await stores.fill()
    again = await open_database(url)
    assert await Stores.of_worker(again, stores.clock, "second").plan.unplanned() == await stores.plan.unplanned()
    await again.close()


async def test_replicas_that_start_together_migrate_once(empty_url: str) -> None:
    opened = await asyncio.gather(*(open_database(empty_url) for _ in range(3)))
    await asyncio.gather(*(database.close() for database in opened))


async def test_processes_that_start_together_migrate_once(empty_url: str) -> None:
    command = [sys.executable, "-c", OPEN, empty_url]
    with started(*[command] * 3, cwd=ROOT, stderr=subprocess.PIPE, text=True) as replicas:
        outputs = [await asyncio.to_thread(replica.communicate, timeout=60) for replica in replicas]
    assert [errors for _, errors in outputs] == ["", "", ""]


async def test_a_transaction_that_breaks_leaves_nothing(stores: Stores) -> None:
    await stores.fill()

    async def break_off() -> None:
        async with stores.database.transaction() as connection:
            await connection.exec_driver_sql("DELETE FROM usages")
            _ = 1 / 0

    with pytest.raises(ZeroDivisionError):
        await break_off()
    affected = await stores.plan.affected([1])
    assert len(affected[1]) == 1


@pytest.mark.parametrize("url", ["mysql://localhost/x", "nonsense"])
def test_any_other_database_is_refused_in_one_line(url: str) -> None:
    with pytest.raises(Failure, match=r"store\.url") as refused:
        database_url(url)
    assert "\n" not in str(refused.value)


async def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="cannot be opened") as refused:
        await open_database(f"sqlite:///{tmp_path}/missing/store.db")
    assert f"{tmp_path}/missing/store.db" in str(refused.value)
    assert str(refused.value).endswith(f"; there is no folder {tmp_path}/missing; make it, or change store.url")


async def test_who_holds_the_file_locked_is_told_and_no_folder_blamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.store.engine.engines._BUSY_MILLISECONDS", 1)
    monkeypatch.setattr("bot.store.engine.database.sqlite3.connect", partial(sqlite3.connect, timeout=0))
    url = f"sqlite:///{tmp_path}/store.db"
    with closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode=WAL")
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Failure) as refused:
            await open_database(url)
    assert str(refused.value) == (
        f"{url}: the database cannot be opened: another process holds it locked; let it finish or end it, "
        f"`fuser -v {tmp_path}/store.db` names it; then try again"
    )


async def test_who_locks_the_file_later_is_told_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.store.engine.engines._BUSY_MILLISECONDS", 1)
    url = new_sqlite(tmp_path / "store.db")
    database = await open_database(url)
    with closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Failure) as refused:
            async with database.transaction():
                pass
    await database.close()
    assert str(refused.value) == (
        f"{url}: the database does not answer: another process holds it locked; let it finish or end it, "
        f"`fuser -v {tmp_path}/store.db` names it; then try again"
    )


async def test_whoever_only_reads_waits_for_no_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.store.engine.engines._BUSY_MILLISECONDS", 1)
    url = new_sqlite(tmp_path / "store.db")
    with closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        database = await open_database(url)
        async with database.reading() as connection:
            assert await connection.scalar(text("SELECT count(*) FROM bases")) == 0
    await database.close()


async def test_that_a_locked_file_is_waited_for_is_told_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.store.engine.database._SILENT_SECONDS", 0)
    url = new_sqlite(tmp_path / "store.db")
    database = await open_database(url)
    with closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)) as other, capture_logs() as logs:
        other.execute("BEGIN IMMEDIATE")

        async def write() -> None:
            async with database.transaction():
                pass

        writing = asyncio.create_task(write())
        while not logs:
            await asyncio.sleep(0.01)
        other.execute("ROLLBACK")
        await writing
    await database.close()
    assert logs[0] == {
        "event": "waiting for the database",
        "log_level": "warning",
        "problem": "another process holds it locked",
        "where": url,
    }


async def test_who_waits_for_other_readers_of_this_process_is_not_told_that_the_file_is_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.store.engine.database._SILENT_SECONDS", 0.05)
    database = await open_database(new_sqlite(tmp_path / "store.db"))
    are_done = asyncio.Event()

    async def read() -> None:
        async with database.reading():
            await are_done.wait()

    with capture_logs() as logs:
        reading = [asyncio.create_task(read()) for _ in range(_MORE_THAN_CONNECTIONS)]
        await asyncio.sleep(0.5)
        are_done.set()
        await asyncio.gather(*reading)
    await database.close()
    assert logs == []


async def test_a_file_that_is_no_database_is_told_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "store.db").write_text("github: {owners: [contoso]}\n" * 9)
    with pytest.raises(Failure) as refused:
        await open_database(f"sqlite:///{tmp_path}/store.db")
    assert str(refused.value) == (
        f"sqlite:///{tmp_path}/store.db: the database cannot be opened: file is not a database; name another file "
        "in store.url; if it was the store, restore a copy, see docs/operate/backup.md"
    )


async def test_a_file_that_is_damaged_from_its_beginning_is_told_to_be(tmp_path: Path) -> None:
    url = new_sqlite(tmp_path / "store.db")
    with closing(sqlite3.connect(tmp_path / "store.db")) as plain:
        plain.execute("PRAGMA journal_mode=DELETE")
    with open(tmp_path / "store.db", "r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 4000)
    with pytest.raises(
        Failure, match=r"cannot be opened: .*malformed; restore a copy, see docs/operate/backup\.md"
    ):
        await open_database(url)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("sqlite:///data/freshness.db", "sqlite:///data/freshness.db"),
        ("postgresql://bot:secret@host/freshness", "postgresql://bot:***@host/freshness"),
    ],
)
def test_the_database_is_named_as_the_settings_have_it(written: str, told: str) -> None:
    assert cannot_be_opened(database_url(written), OSError("refused")).where == told


async def test_a_damaged_file_is_told_in_one_line(tmp_path: Path) -> None:
    url = new_sqlite(tmp_path / "store.db")
    with closing(sqlite3.connect(tmp_path / "store.db")) as plain:
        plain.execute("PRAGMA journal_mode=DELETE")
        [[root]] = plain.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'packages'")
        [[size]] = plain.execute("PRAGMA page_size")
    database = await open_database(url)
    with open(tmp_path / "store.db", "r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xff" * size)
    with pytest.raises(Failure, match=r"the database is damaged: .*malformed; restore a copy") as told:
        async with database.reading() as connection:
            await connection.execute(text("SELECT * FROM packages"))
    await database.close()
    assert told.value.trouble is Trouble.MALFORMED


async def test_a_password_is_not_told() -> None:
    with pytest.raises(Failure) as refused:
        await open_database("postgresql://bot:hunter2@127.0.0.1:1/x")
    assert "hunter2" not in str(refused.value)


# Rehearsals


async def test_a_rehearsal_sees_what_is_there_and_leaves_no_trace(stores: Stores, url: str) -> None:
    await stores.fill(repositories=2)
    async with snapshot(url) as database:
        dry_run_result = Stores.of_worker(database, stores.clock, "rehearsing")
        await dry_run_result.plan_all()
        assert await dry_run_result.states() == ["planned", "planned"]
        await dry_run_result.jobs(10)
    assert await stores.states() == []
    assert len(await stores.plan.unplanned()) == 1


async def test_a_rehearsal_leaves_no_trace_in_a_database_that_is_still_empty(empty_url: str) -> None:
    async with snapshot(empty_url) as database:
        await Stores.of_worker(database, ManualClock(NOON), "rehearsing").fill()
    if empty_url.startswith("sqlite"):
        assert not Path(empty_url.removeprefix("sqlite:///")).exists()
        return
    engine = create_async_engine(database_url(empty_url))
    async with engine.connect() as connection:
        assert await connection.run_sync(lambda plain: inspect(plain).get_table_names()) == []
    await engine.dispose()


async def test_a_rehearsal_looks_at_no_table_of_others(stores: Stores, url: str) -> None:
    """SQLAlchemy warns of a type that it does not know."""
    await stores.fill()
    async with stores.database.transaction() as connection:
        await connection.execute(text("CREATE TABLE theirs (id integer PRIMARY KEY, seen pg_snapshot)"))
    async with snapshot(url) as database:
        assert len(await Stores.of_worker(database, stores.clock, "rehearsing").plan.unplanned()) == 1


async def test_a_rehearsal_that_breaks_leaves_no_trace(stores: Stores, url: str) -> None:
    await stores.fill()

    async def break_off() -> None:
        async with snapshot(url) as database:
            await Stores.of_worker(database, stores.clock, "rehearsing").plan_all()
            _ = 1 / 0

    with pytest.raises(ZeroDivisionError):
        await break_off()
    assert await stores.states() == []


async def test_a_database_that_is_up_to_date_is_opened_without_a_look_at_the_migrations(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.store.engine.database._migrate", lambda *_: pytest.fail("was migrated"))
    await (await open_database(url)).close()


async def test_others_go_on_working_while_a_rehearsal_runs(stores: Stores, url: str) -> None:
    await stores.fill(repositories=2)
    await stores.plan_all()
    mine = (await stores.jobs(1))[0].rebuild
    async with snapshot(url) as database:
        dry_run_result = Stores.of_worker(database, stores.clock, "rehearsing")
        theirs = await dry_run_result.jobs(10)
        assert [job.rebuild.id for job in theirs] == [2]
        await stores.act.save_progress(mine)
        await stores.act.settle_rebuild(mine, mine)
    again = await stores.jobs(10)
    assert [job.rebuild.id for job in again] == [1, 2]


async def test_a_rehearsal_copies_a_whole_state_while_another_process_writes(tmp_path: Path) -> None:
    """Pairs are written together, so a copy that holds half of one would be torn."""
    path = tmp_path / "store.db"
    await (await open_database(f"sqlite:///{path}")).close()
    with started([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True) as (writer,):
        assert writer.stdout is not None
        await asyncio.to_thread(writer.stdout.readline)
        for _ in range(3):
            async with snapshot(f"sqlite:///{path}") as database, database.transaction() as connection:
                found = await connection.exec_driver_sql("SELECT count(*) FROM blobs")
                number = found.scalar_one()
                assert number > 0
                assert number % 2 == 0
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


WRITER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
for number in range(1_000_000):
    connection.execute("BEGIN IMMEDIATE")
    for half in "ab":
        connection.execute("INSERT INTO blobs (sha, body) VALUES (?, ?)", (f"{number}{half}", b"x" * 2000))
    connection.execute("COMMIT")
    print(number, flush=True)
"""


def test_a_driver_that_says_nothing_is_named_by_its_error() -> None:
    failure = cannot_be_opened(make_url("sqlite:///data/freshness.db"), TimeoutError())
    assert failure.what == "the database cannot be opened: TimeoutError"


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        ("sqlite:///data/freshness.db", "check store.url and that its folder can be written"),
        ("postgresql+psycopg://bot@host/freshness", "check store.url and store.password_file"),
    ],
)
def test_the_advice_fits_the_kind_of_database(url: str, advice: str) -> None:
    assert cannot_be_opened(make_url(url), OSError("refused")).advice == advice


async def test_that_every_connection_is_taken_is_told_as_a_trouble_of_the_store(database: Database) -> None:
    with pytest.raises(Failure, match="no connection was free") as raised:
        async with database.reading():
            raise ConnectionsTaken("QueuePool limit of size 5 overflow 10 reached, connection timed out")
    assert (raised.value.is_stores, raised.value.trouble) == (True, Trouble.UNREACHABLE)
