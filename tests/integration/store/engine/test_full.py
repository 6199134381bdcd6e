"""A store without room is told as such, is read meanwhile, and is worked with again once there is some."""

import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.failure import Trouble
from bot.store.engine.database import Database, lack_of_room, looked_into, open_database
from bot.store.engine.engines import database_url, engine_for, readers_of
from bot.store.engine.failures import NoRoom, url_told
from sandbox.programs.postgres import PostgresServer
from tests.full_disk import fill, small_disk, without_room
from tests.migrated import new_sqlite

REFUSED_FOR = 60.0


class Seconds:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest_asyncio.fixture
async def database(tmp_path: Path, seconds: Seconds) -> AsyncIterator[Database]:
    engine = engine_for(database_url(new_sqlite(tmp_path / "freshness.db")))
    opened = Database(engine, readers_of(engine), seconds)
    async with opened.transaction() as connection:
        await connection.exec_driver_sql("CREATE TABLE much (text TEXT)")
        await connection.exec_driver_sql("INSERT INTO much VALUES ('first')")
    yield opened
    await opened.close()


async def write_much(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(text("INSERT INTO much VALUES (:much)"), {"much": "x" * 100_000})


async def write_little(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.exec_driver_sql("UPDATE much SET text = 'other' WHERE text = 'first'")


async def rows(connection: AsyncConnection) -> int:
    return int(await connection.scalar(text("SELECT count(*) FROM much")) or 0)


async def test_it_is_told_with_what_to_do(database: Database) -> None:
    async with without_room(database):
        with pytest.raises(NoRoom) as refused:
            await write_much(database)
    assert refused.value.trouble is Trouble.UNREACHABLE
    assert refused.value.what == "the database has no room left: database or disk is full"
    assert refused.value.advice.startswith(f"make room where {database.engine.url.database} lies")
    assert database.no_room is refused.value


async def test_it_is_read_meanwhile_and_keeps_nothing_by_halves(database: Database) -> None:
    async with without_room(database):
        with pytest.raises(NoRoom):
            await write_much(database)
        async with database.reading() as connection:
            assert await rows(connection) == 1


async def test_work_goes_on_once_there_is_room(database: Database, seconds: Seconds) -> None:
    async with without_room(database):
        with pytest.raises(NoRoom):
            await write_much(database)
    seconds.now += REFUSED_FOR
    await write_much(database)
    assert database.no_room is None
    async with database.reading() as connection:
        assert await rows(connection) == 2


async def test_a_small_write_soon_after_tells_of_no_room(database: Database, seconds: Seconds) -> None:
    async with without_room(database):
        with pytest.raises(NoRoom):
            await write_much(database)
        seconds.now += REFUSED_FOR - 1
        await write_little(database)
        assert database.no_room is not None


async def test_a_transaction_that_wrote_nothing_tells_of_no_room(database: Database, seconds: Seconds) -> None:
    async with without_room(database):
        with pytest.raises(NoRoom):
            await write_much(database)
    seconds.now += REFUSED_FOR
    async with database.transaction() as connection:
        assert await rows(connection) == 1
    assert database.no_room is not None


@pytest_asyncio.fixture
async def on_postgresql(
    postgres_template: str, postgres_databases: Callable[[str | None], str], seconds: Seconds
) -> AsyncIterator[Database]:
    engine = engine_for(database_url(postgres_databases(postgres_template)))
    opened = Database(engine, readers_of(engine), seconds)
    yield opened
    await opened.close()


async def refuse(database: Database) -> None:
    """As PostgreSQL does, and by its own code."""
    async with database.transaction() as connection:
        await connection.exec_driver_sql(
            "DO $$ BEGIN RAISE 'could not extend file' USING ERRCODE = 'disk_full'; END $$"
        )


async def test_postgresql_is_known_by_its_own_code(on_postgresql: Database) -> None:
    with pytest.raises(NoRoom, match="the database has no room left: could not extend file") as refused:
        await refuse(on_postgresql)
    assert refused.value.advice.startswith("make room on its disk")
    assert on_postgresql.no_room is refused.value


async def test_postgresql_is_worked_with_again_once_it_was_written(
    on_postgresql: Database, seconds: Seconds
) -> None:
    with pytest.raises(NoRoom):
        await refuse(on_postgresql)
    seconds.now += REFUSED_FOR
    async with on_postgresql.transaction() as connection:
        await connection.exec_driver_sql("SELECT count(*) FROM tasks")
    assert on_postgresql.no_room is not None
    async with on_postgresql.transaction() as connection:
        await connection.exec_driver_sql("INSERT INTO counters (name, value) VALUES ('x', 1)")
    assert on_postgresql.no_room is None


# Asked by another process, which has written nothing


@pytest_asyncio.fixture
async def of_a_service(tmp_path: Path) -> AsyncIterator[Database]:
    """On a disk of its own; it has written, as a service has that others look on at."""
    with small_disk(tmp_path / "small", 4) as disk:
        opened = await open_database(new_sqlite(disk / "freshness.db"))
        async with opened.transaction() as connection:
            await connection.exec_driver_sql("CREATE TABLE much (text TEXT)")
        yield opened
        await opened.close()


@pytest_asyncio.fixture
async def on_small_postgresql(postgres: PostgresServer) -> AsyncIterator[tuple[Database, Path]]:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # PostgreSQL runs as another user
        with small_disk(Path(folder) / "small", 24) as disk, postgres.database_in(disk) as url:
            opened = await open_database(url)
            yield opened, disk
            await opened.close()


async def beside(service: Database) -> NoRoom | None:
    async with looked_into(url_told(service.engine.url)) as database:
        return await lack_of_room(database)


async def test_a_full_disk_is_told_to_who_only_reads(of_a_service: Database) -> None:
    file = Path(of_a_service.engine.url.database or "")
    assert await beside(of_a_service) is None
    filling = fill(file.parent)
    with pytest.raises(NoRoom):
        await write_much(of_a_service)
    told = await beside(of_a_service)
    assert told is not None
    assert told.what == "the database has no room left: 0 KiB are free on its disk"
    assert told.advice.startswith(f"make room where {file} lies")
    filling.unlink()
    assert await beside(of_a_service) is None


async def test_so_is_postgresqls(on_small_postgresql: tuple[Database, Path]) -> None:
    service, disk = on_small_postgresql
    assert await beside(service) is None
    filling = fill(disk)
    told = await beside(service)
    assert told is not None
    assert "No space left on device" in told.what
    assert told.advice.startswith("make room on its disk")
    filling.unlink()
    assert await beside(service) is None
