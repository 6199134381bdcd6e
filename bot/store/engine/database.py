"""Opening the database, and the transactions on it: the same behaviour on SQLite and PostgreSQL.

The service knows from its own last write (`Database.no_room`), which no other process can see, and a store without
room cannot keep it.
"""

import asyncio
import os
import random
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing, nullcontext
from functools import cache, wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from sqlalchemy import Connection, inspect, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.domain.failure import Failure, Trouble
from bot.domain.log import log
from bot.store.engine.engines import database_url, engine_for, readers_of
from bot.store.engine.failures import (
    BrokenOff,
    NoRoom,
    StoreFailure,
    cannot_be_opened,
    failures_of,
    no_room_on_disk,
    url_told,
)

P = ParamSpec("P")
T = TypeVar("T")


_ATTEMPTS = 5
_REFUSED_FOR = 60.0
"""Seconds after a refusal for want of room in which a write that went well tells nothing: a small one may find room
where a larger one does not."""
_WRITTEN = {"sqlite": "SELECT total_changes()", "postgresql": "SELECT txid_current_if_assigned()"}
_SILENT_SECONDS = 2.0
"""How long SQLite's file may be locked by another process until that is told."""
_MIGRATIONS = Path(__file__).parents[1] / "migrations/versions"
_REVISIONS = "alembic_version"
_STORED_REVISION = text("SELECT version_num FROM alembic_version")
_migrating = threading.Lock()
"""Alembic keeps what it works on in module variables, so one database is opened at a time."""


class SchemaChanged(Failure):
    """The tables are no longer those that this version knows, so nothing may be read or written."""


def repeated(work: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Makes `work`, which is one transaction, again where PostgreSQL broke it off; the last `BrokenOff` is raised.

    Transactions that lock rows in one order (`locking.lock_order`) are seldom broken off.
    """

    @wraps(work)
    async def repeat_work(*args: P.args, **kwargs: P.kwargs) -> T:
        for _ in range(_ATTEMPTS - 1):
            try:
                return await work(*args, **kwargs)
            except BrokenOff:
                await asyncio.sleep(random.uniform(0.02, 0.2))  # noqa: S311 - no secret, so that two meet no more
        return await work(*args, **kwargs)

    return repeat_work


class Database:
    """Transactions on SQLite or PostgreSQL; every write of a stage is one of them.

    SQLite has one writer at a time. Waiting for the turn here wakes the next one at once, where SQLite's own
    waiting sleeps up to 100 ms between two looks (measured: a third of a large discovery).
    """

    def __init__(
        self, engine: AsyncEngine, readers: AsyncEngine, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._engine = engine
        self._readers = readers
        is_sqlite = engine.dialect.name == "sqlite"
        self._writing: AbstractAsyncContextManager[Any] = asyncio.Lock() if is_sqlite else nullcontext()
        self._now = now
        self._full: tuple[NoRoom, float] | None = None

    @property
    def engine(self) -> AsyncEngine:
        return self._engine

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """Commits at the end, rolls back on any exception; `Failure` where the database is out of reach or damaged,
        or a column takes no such text, and its kind `BrokenOff` where PostgreSQL ended the transaction in favour
        of another."""
        try:
            with failures_of(self._engine.url):
                async with self._writing, _begin(self._engine) as connection:
                    looks = self._full is not None and self._now() - self._full[1] >= _REFUSED_FOR
                    before = await _read_write_mark(connection) if looks else None
                    yield connection
                    has_room = looks and await _read_write_mark(connection) != before
        except NoRoom as failure:
            self._full = failure, self._now()
            raise
        if has_room:
            self._full = None

    @property
    def no_room(self) -> NoRoom | None:
        """What the database said when it last had no room, until it was written to again."""
        return None if self._full is None else self._full[0]

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """One state of the database from the first statement to the last, which writes nothing and holds up no
        writer; raises like `transaction`."""
        with failures_of(self._engine.url):
            async with _begin(self._readers) as connection:
                yield connection

    async def reader(self) -> AsyncConnection:
        """A connection for many short readings, which its user begins, and closes at the end."""
        return await self._readers.connect()

    async def check_schema(self) -> None:
        """Raises `SchemaChanged` where another version of the bot has migrated what this one opened."""
        async with self.reading() as connection:
            revision = await connection.scalar(_STORED_REVISION)
        if revision == newest_revision():
            return
        raise SchemaChanged(
            Trouble.CONFLICT,
            "another version of the bot has changed the database's schema",
            where=url_told(self._engine.url),
            advice="run that version or a newer one",
        )

    async def close(self) -> None:
        await self._readers.dispose()
        await self._engine.dispose()


async def open_database(url: str) -> Database:
    """Connects and brings the schema up to date; raises `Failure` where either is impossible.

    Where the schema is up to date it waits for no writer, so that whoever only reads never does.
    """
    engine = engine_for(database_url(url))
    readers = readers_of(engine)
    async with opening(engine):
        try:
            async with _begin(readers) as connection:
                current = await connection.run_sync(_is_current)
            if not current:
                async with _begin(engine) as connection:
                    await connection.run_sync(_migrate_alone)
        except BaseException:
            await readers.dispose()
            raise
    return Database(engine, readers)


@cache
def newest_revision() -> str:
    """The revision that this version brings a database to."""
    return migrations()[-1].name.partition("_")[0]


def migrations() -> list[Path]:
    """Their files, in order: each begins with the revision that it leads to."""
    return sorted(_MIGRATIONS.glob("[0-9]*.py"))


def _stored_revision(connection: Connection) -> str | None:
    """That of the database, or None where it is new; nothing is written or locked for that."""
    if not inspect(connection).has_table(_REVISIONS):
        return None
    return connection.scalars(_STORED_REVISION).one_or_none()


def _is_current(connection: Connection) -> bool:
    """Whether the database has the schema that this version knows."""
    return _stored_revision(connection) == newest_revision()


def _migrate_alone(connection: Connection) -> None:
    """Replicas start together: the second waits here until the first has migrated, however long that takes.

    Where nothing is to be done, the migrations are not even loaded.
    """
    if connection.dialect.name == "postgresql":
        for limit in ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"):
            connection.exec_driver_sql(f"SET LOCAL {limit} = 0")
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(3117)")
    if not _is_current(connection):
        _migrate(connection)


def _migrate(connection: Connection) -> None:
    revision = _stored_revision(connection)
    if revision is None:
        from bot.store.migrations.steps import make_tables

        make_tables(connection, newest_revision())
        return
    from bot.store.migrations.steps import steps_from, take

    steps = steps_from(revision, migrations())
    if steps is None:
        raise Failure(
            Trouble.MALFORMED,
            f"the database was made by another version of the bot: its schema is {revision!r}, this one's is "
            f"{newest_revision()!r}",
            where=url_told(connection.engine.url),
            advice="run that version or a newer one",
        )
    take(steps, connection)


@asynccontextmanager
async def _begin(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A transaction; that another process holds SQLite's file locked is logged while it is waited for, and not that
    a connection is, which others of this process have."""
    async with engine.connect() as connection:
        telling = asyncio.get_running_loop().call_later(_SILENT_SECONDS, _say_locked, engine.url)
        try:
            async with connection.begin():
                telling.cancel()
                yield connection
        finally:
            telling.cancel()


async def _read_write_mark(connection: AsyncConnection) -> Any:
    """What tells by another value that the transaction has written since."""
    return await connection.scalar(text(_WRITTEN[connection.dialect.name]))


def _say_locked(url: URL) -> None:
    if url.get_backend_name() == "sqlite":
        log.warning("waiting for the database", problem="another process holds it locked", where=url_told(url))


@asynccontextmanager
async def looked_into(url: str) -> AsyncIterator[Database]:
    """The database as it is: nothing is created or brought up to date. Raises `Failure` where it cannot be read."""
    target = database_url(url)
    file = target.database or ""
    if target.get_backend_name() == "sqlite" and not os.path.isfile(file):  # noqa: ASYNC240 - one look at a local file
        raise Failure(Trouble.MISSING, "there is no database yet", where=file)
    engine = engine_for(target)
    database = Database(engine, readers_of(engine))
    try:
        yield database
    except SQLAlchemyError as error:
        raise cannot_be_opened(target, error) from error
    finally:
        await database.close()


def _probe(database: str | None) -> None:
    """aiosqlite's thread may outlive a connection that failed, and then write a trace of its own."""
    with closing(sqlite3.connect(database or ":memory:")):
        pass


@asynccontextmanager
async def opening(engine: AsyncEngine) -> AsyncIterator[None]:
    """Turns what a database says at its opening into one line; only one is opened at a time."""
    while not _migrating.acquire(blocking=False):  # noqa: ASYNC110 - this lock belongs to no event loop
        await asyncio.sleep(0.01)
    try:
        if engine.dialect.name == "sqlite":
            _probe(engine.url.database)
        yield
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        await engine.dispose()
        raise cannot_be_opened(engine.url, error) from error
    except Failure:
        await engine.dispose()
        raise
    finally:
        _migrating.release()


_ROWS = 80_000
"""Numbers that take a megabyte on PostgreSQL's disk, where its memory has no place for them."""


async def lack_of_room(database: Database) -> NoRoom | None:
    """What there is to be told where the disk has less than a megabyte left; None where it has more, or where that
    cannot be asked. Nothing is written to the database, and no writer is held up."""
    if database.engine.dialect.name == "sqlite":
        return await asyncio.to_thread(no_room_on_disk, database.engine.url)
    try:
        await _put_aside(database)
    except NoRoom as failure:
        return failure
    except StoreFailure:
        return None
    return None


async def _put_aside(database: Database) -> None:
    """Has PostgreSQL put what its memory does not take into a temporary file, on the disk of the database; that is
    gone with the transaction, which only reads."""
    async with database.reading() as connection:
        await connection.execute(text("SET LOCAL work_mem = '64kB'"))
        await connection.scalar(text("SELECT count(*) FROM generate_series(1, :rows)"), {"rows": _ROWS})
