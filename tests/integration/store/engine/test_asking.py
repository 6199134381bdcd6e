"""How statements reach the database: trips to SQLite's thread, and many values as one parameter."""

import asyncio
import threading
from collections import Counter
from typing import Any

import aiosqlite
import pytest
from sqlalchemy import func, insert, select, text

from bot.domain.failure import Failure
from bot.store.engine.among import is_among
from bot.store.engine.database import Database
from bot.store.engine.sqlite import Connection, connect
from bot.store.engine.writing import insert_missing
from bot.store.rows.inventories.inventories import packages
from tests.integration.store.conftest import ON_BOTH
from tests.sqlite_at_once import in_thread

NAMES = ("openssl", "zlib1g", "quo'te")


@pytest.fixture
async def numbered(database: Database) -> Database:
    """With a package of each name."""
    rows = [
        {"id": number, "key": name, "type": "deb", "name": name, "version": "1"}
        for number, name in enumerate(NAMES, 1)
    ]
    async with database.transaction() as connection:
        await connection.execute(insert(packages), rows)
    return database


async def test_texts_and_numbers_are_among_those_that_are_given(numbered: Database) -> None:
    by_name = select(packages.c.id).where(is_among(packages.c.name, "names")).order_by(packages.c.id)
    by_number = select(packages.c.name).where(is_among(packages.c.id, "numbers"))
    async with numbered.reading() as connection:
        assert (await connection.scalars(by_name, {"names": {"quo'te", "openssl", "none"}})).all() == [1, 3]
        assert (await connection.scalars(by_number, {"numbers": [2, 99]})).all() == ["zlib1g"]


async def test_nothing_is_among_no_values_and_all_is_outside_of_them(numbered: Database) -> None:
    inside = is_among(packages.c.name, "names")
    async with numbered.reading() as connection:
        for names, found in ((), (0, 3)), (("openssl",), (1, 2)):
            for condition, count in zip((inside, ~inside), found, strict=True):
                rows = await connection.execute(select(packages.c.id).where(condition), {"names": names})
                assert len(rows.all()) == count


@ON_BOTH
async def test_texts_that_no_column_takes_are_looked_for_and_not_found(numbered: Database) -> None:
    asked = select(packages.c.name).where(is_among(packages.c.name, "names"))
    async with numbered.reading() as connection:
        for impossible in "a" * 300, "a\x00b", "a\ud800", "openssl\x00":
            assert (await connection.scalars(asked, {"names": [impossible, "openssl"]})).all() == ["openssl"]


async def test_the_same_statement_asks_for_one_value_and_for_thousands(numbered: Database) -> None:
    asked = select(packages.c.id).where(is_among(packages.c.id, "numbers"))
    async with numbered.reading() as connection:
        for numbers in ([3], list(range(40_000))):
            assert 3 in (await connection.scalars(asked, {"numbers": numbers})).all()


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often a driver's thread was asked for what."""
    counted: Counter[str] = Counter()
    made: Any = aiosqlite.Connection._execute

    async def execute(connection: aiosqlite.Connection, work, *args, **options):  # type: ignore[no-untyped-def]
        counted[work.__name__] += 1
        return await made(connection, work, *args, **options)

    monkeypatch.setattr(aiosqlite.Connection, "_execute", execute)
    return counted


@pytest.mark.parametrize("engine", ["sqlite"])
async def test_a_statement_and_its_rows_are_one_trip_to_the_thread_of_sqlite(
    numbered: Database, trips: Counter[str]
) -> None:
    async with numbered.reading() as connection:
        trips.clear()
        assert len((await connection.execute(select(packages))).all()) == len(NAMES)
        assert trips.total() == 1
        await connection.execute(text("SELECT 1"))
        assert trips.total() == 2


@pytest.mark.parametrize("engine", ["sqlite"])
async def test_a_reading_takes_a_trip_for_each_statement_and_one_for_its_end(
    numbered: Database, trips: Counter[str]
) -> None:
    for statements in 0, 1, 2:
        async with numbered.reading():
            pass  # connected
        trips.clear()
        async with numbered.reading() as connection:
            for _ in range(statements):
                await connection.execute(text("SELECT 1"))
        assert trips.total() == (statements + 1 if statements else 0)


@pytest.mark.parametrize("engine", ["sqlite"])
async def test_a_transaction_takes_a_trip_more_for_its_lock(numbered: Database, trips: Counter[str]) -> None:
    async with numbered.transaction() as connection:
        await connection.execute(text("SELECT 1"))
    trips.clear()
    async with numbered.transaction() as connection:
        await connection.execute(text("SELECT 1"))
    assert trips.total() == 3


@pytest.mark.parametrize("engine", ["sqlite"])
async def test_a_reading_sees_one_state_from_its_first_statement_to_its_last(numbered: Database) -> None:
    count = select(func.count()).select_from(packages)
    async with numbered.reading() as connection:
        assert await connection.scalar(count) == len(NAMES)
        async with numbered.transaction() as writing:
            await writing.execute(insert(packages), {"key": "z", "type": "deb", "name": "z", "version": "1"})
        assert await connection.scalar(count) == len(NAMES)
    async with numbered.reading() as connection:
        assert await connection.scalar(count) == len(NAMES) + 1


@pytest.mark.parametrize("engine", ["sqlite"])
async def test_a_reading_that_failed_leaves_no_state_to_the_next(numbered: Database) -> None:
    with pytest.raises(Failure):
        async with numbered.reading() as connection:
            await connection.execute(text("SELECT * FROM no_such_table"))
    async with numbered.transaction() as connection:
        await connection.execute(insert(packages), {"key": "z", "type": "deb", "name": "z", "version": "1"})
    async with numbered.reading() as connection:
        assert await connection.scalar(select(func.count()).select_from(packages)) == len(NAMES) + 1


async def test_a_transaction_whose_beginning_was_given_up_is_rolled_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aiosqlite.Connection, "_execute", in_thread)
    connection = await connect(":memory:", check_same_thread=False)
    connection.isolation_level = None
    has_begun, may_end = threading.Event(), threading.Event()

    def begin() -> None:
        has_begun.set()
        may_end.wait(10)
        connection._conn.execute("BEGIN")

    beginning = asyncio.create_task(connection._execute(begin))  # type: ignore[no-untyped-call]
    assert await asyncio.to_thread(has_begun.wait, 10)
    beginning.cancel()
    with pytest.raises(asyncio.CancelledError):
        await beginning
    asyncio.get_running_loop().call_later(0.01, may_end.set)
    await connection.rollback()
    assert not connection.in_transaction
    await connection.close()


@pytest.mark.parametrize("engine", ["sqlite"])
async def test_how_many_rows_were_written_is_told_after_the_end_of_the_cursor(database: Database) -> None:
    rows = [
        {"id": number, "key": name, "type": "deb", "name": name, "version": "1"}
        for number, name in enumerate(NAMES, 1)
    ]
    async with database.transaction() as connection:
        assert (await connection.execute(insert(packages), rows)).rowcount == len(NAMES)
        again = await connection.execute(insert_missing(connection, packages, **rows[0]))
        assert again.rowcount == 0


async def test_what_sqlite_tells_of_a_write_is_kept() -> None:
    connection = await connect(":memory:", check_same_thread=False)
    assert isinstance(connection, Connection)
    cursor = connection.cursor()
    await cursor.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, name)")
    assert (cursor.description, cursor.rowcount) == (None, -1)
    await cursor.execute("INSERT INTO t (name) VALUES (?)", ("a",))
    assert (cursor.lastrowid, cursor.rowcount) == (1, 1)
    await cursor.executemany("INSERT INTO t (name) VALUES (?)", [("b",), ("c",)])
    assert (cursor.rowcount, await cursor.fetchall()) == (2, ())
    await cursor.execute("DELETE FROM t RETURNING name")
    assert (await cursor.fetchall(), cursor.description[0][0]) == ([("a",), ("b",), ("c",)], "name")
    await cursor.close()
    await connection.close()


@pytest.mark.parametrize("engine", ["sqlite"])
async def test_a_statement_that_is_given_up_holds_no_lock(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aiosqlite.Connection, "_execute", in_thread)
    has_begun, may_end = threading.Event(), threading.Event()

    def wait() -> bool:
        has_begun.set()
        return may_end.wait(10)

    async def write() -> None:
        async with database.transaction() as connection:
            raw = await connection.get_raw_connection()
            await raw.driver_connection.create_function("wait", 0, wait)  # type: ignore[union-attr]
            await connection.execute(insert(packages), {"key": "a", "type": "deb", "name": "a", "version": "1"})
            await connection.execute(text("SELECT wait()"))

    writing = asyncio.create_task(write())
    assert await asyncio.to_thread(has_begun.wait, 10)
    writing.cancel()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await writing
    async with database.transaction() as connection:
        assert await connection.scalar(select(func.count()).select_from(packages)) == 0
