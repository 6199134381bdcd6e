"""Opening the database: one address, two engines, the same behaviour."""

import asyncio
import os
import random
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing, contextmanager, nullcontext
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from alembic.util import CommandError
from sqlalchemy import event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    InterfaceError,
    InternalError,
    OperationalError,
    SQLAlchemyError,
    StatementError,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.domain.failure import Failure, Trouble
from bot.store.engine.codec import parse, unparse
from bot.store.engine.schema import migrate_alone, newest_revision
from bot.store.engine.sqlite import connect

P = ParamSpec("P")
T = TypeVar("T")

_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
}
_BUSY_MILLISECONDS = 30_000
_READ_KIBIBYTES = 8_192
"""What SQLite keeps of its file for each reader: with its usual two megabytes, a question about the whole fleet
reads the same pages again and again."""
_BROKEN_OFF = frozenset({"40P01", "40001"})
"""Deadlock, serialization failure."""
_IDLE_TOO_LONG = "25P03"
_ATTEMPTS = 5
_POSTGRES = {
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
    "options": "-c lock_timeout=15s -c statement_timeout=2min -c idle_in_transaction_session_timeout=1min",
}
"""What libpq is told unless the URL says otherwise: a replica that froze, or whose machine is gone, holds up nobody
for longer than a minute."""
_migrating = threading.Lock()
"""Alembic keeps what it works on in module variables, so one database is opened at a time."""


class BrokenOff(Failure):
    """A transaction of which nothing was kept, since it and another waited for each other: made again, it works."""


class SchemaChanged(Failure):
    """The tables are no longer those that this version knows, so nothing may be read or written."""


def repeated(work: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Makes `work`, which is one transaction, again where PostgreSQL broke it off; the last `BrokenOff` is raised.

    Transactions that lock rows in one order (`locking.ORDER`) are seldom broken off.
    """

    @wraps(work)
    async def made(*args: P.args, **kwargs: P.kwargs) -> T:
        for _ in range(_ATTEMPTS - 1):
            try:
                return await work(*args, **kwargs)
            except BrokenOff:
                await asyncio.sleep(random.uniform(0.02, 0.2))  # noqa: S311 - no secret, so that two meet no more
        return await work(*args, **kwargs)

    return made


class Database:
    """Transactions on SQLite or PostgreSQL; every write of a stage is one of them.

    SQLite has one writer at a time. Waiting for the turn here wakes the next one at once, where SQLite's own
    waiting sleeps up to 100 ms between two looks (measured: a third of a large discovery).
    """

    def __init__(self, engine: AsyncEngine, readers: AsyncEngine) -> None:
        self._engine = engine
        self._readers = readers
        is_sqlite = engine.dialect.name == "sqlite"
        self._writing: AbstractAsyncContextManager[Any] = asyncio.Lock() if is_sqlite else nullcontext()

    @property
    def engine(self) -> AsyncEngine:
        return self._engine

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """Commits at the end, rolls back on any exception; `Failure` where the database is out of reach or damaged,
        or a column takes no such text, and its kind `BrokenOff` where PostgreSQL ended the transaction in favour
        of another."""
        with self._told():
            async with self._writing, self._engine.begin() as connection:
                yield connection

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """One state of the database from the first statement to the last, which writes nothing and holds up no
        writer; raises like `transaction`."""
        with self._told():
            async with self._readers.begin() as connection:
                yield connection

    async def check_schema(self) -> None:
        """Raises `SchemaChanged` where another version of the bot has migrated what this one opened."""
        async with self.reading() as connection:
            stored = await connection.scalar(text("SELECT version_num FROM alembic_version"))
        if stored == newest_revision():
            return
        raise SchemaChanged(
            Trouble.CONFLICT,
            "another version of the bot has changed the database's schema",
            where=_url_told(self._engine.url),
            advice="run that version or a newer one",
        )

    async def close(self) -> None:
        await self._readers.dispose()
        await self._engine.dispose()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (OperationalError, InterfaceError, InternalError) as error:
            if isinstance(error, InternalError) and getattr(error.orig, "sqlstate", None) != _IDLE_TOO_LONG:
                raise
            kind = BrokenOff if getattr(error.orig, "sqlstate", None) in _BROKEN_OFF else Failure
            raise kind(
                Trouble.UNREACHABLE,
                f"the database does not answer: {_reason(error)}",
                where=_url_told(self._engine.url),
                advice="the next pass tries again",
            ) from error
        except StatementError as error:
            if isinstance(error.orig, Failure):
                raise error.orig from None
            if type(error) is not DatabaseError:
                raise
            raise Failure(
                Trouble.MALFORMED,
                f"the database is damaged: {_reason(error)}",
                where=_url_told(self._engine.url),
                advice="restore a copy, see docs/operate/backup.md",
            ) from error


def database_url(url: str) -> URL:
    """The URL with the driver that we use; raises `Failure` for any other database."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise Failure(
            Trouble.MALFORMED, "store.url is no database URL", advice="write sqlite:///PATH or postgresql://…"
        ) from error
    name = parsed.get_backend_name()
    if name not in _DRIVERS:
        raise Failure(
            Trouble.MALFORMED, f"store.url names {name!r}", advice="only sqlite and postgresql are supported"
        )
    return parsed.set(drivername=_DRIVERS[name])


async def open_database(url: str) -> Database:
    """Connects and brings the schema up to date; raises `Failure` where either is impossible."""
    engine = engine_for(database_url(url))
    async with opening(engine), engine.begin() as connection:
        await connection.run_sync(migrate_alone)
    return Database(engine, _readers_of(engine))


@asynccontextmanager
async def looked_into(url: str) -> AsyncIterator[Database]:
    """The database as it is: nothing is created or brought up to date. Raises `Failure` where it cannot be read."""
    target = database_url(url)
    file = target.database or ""
    if target.get_backend_name() == "sqlite" and not os.path.isfile(file):  # noqa: ASYNC240 - one look at a local file
        raise Failure(Trouble.MISSING, "there is no database yet", where=file)
    engine = engine_for(target)
    database = Database(engine, _readers_of(engine))
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


def engine_for(target: URL) -> AsyncEngine:
    if target.get_backend_name() == "sqlite":
        return _on_sqlite(target, "BEGIN IMMEDIATE")
    told = {name: value for name, value in _POSTGRES.items() if name not in target.query}
    return create_async_engine(
        target, pool_pre_ping=True, hide_parameters=True, json_serializer=unparse, connect_args=told
    )


def _readers_of(engine: AsyncEngine) -> AsyncEngine:
    """SQLite's readers have connections of their own, on which writing is an error."""
    if engine.dialect.name != "sqlite":
        return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return _on_sqlite(engine.url, "BEGIN", "query_only=ON", f"cache_size=-{_READ_KIBIBYTES}")


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
    except CommandError as error:
        await engine.dispose()
        raise Failure(
            Trouble.MALFORMED,
            f"the database was made by another version of the bot: {error}",
            where=_url_told(engine.url),
            advice="run that version or a newer one",
        ) from error
    finally:
        _migrating.release()


def cannot_be_opened(url: URL, error: Exception) -> Failure:
    return Failure(
        Trouble.UNREACHABLE,
        f"the database cannot be opened: {_reason(error)}",
        where=_url_told(url),
        advice=_advice(url, error),
    )


def _url_told(url: URL) -> str:
    """The URL as `store.url` has it: without our driver, its password hidden."""
    return url.set(drivername=url.get_backend_name()).render_as_string(hide_password=True)


def _advice(url: URL, error: Exception) -> str:
    if _is_locked(error):
        return f"let it finish or end it, `fuser -v {url.database}` names it; then try again"
    more = "that its folder can be written" if url.get_backend_name() == "sqlite" else "store.password_file"
    return f"check store.url and {more}"


def _reason(error: Exception) -> str:
    """That another process holds SQLite's file, or the first line of what the driver says, which may be nothing."""
    if _is_locked(error):
        return "another process holds it locked"
    cause = _cause(error)
    return next(iter(str(cause).strip().splitlines()), type(cause).__name__)


def _is_locked(error: Exception) -> bool:
    code = getattr(_cause(error), "sqlite_errorcode", None)
    return code is not None and code & 0xFF == sqlite3.SQLITE_BUSY


def _cause(error: Exception) -> BaseException:
    return getattr(error, "orig", None) or error


def _on_sqlite(target: URL, beginning: str, *pragmas: str) -> AsyncEngine:
    """The driver would begin late and in deferred mode; claims need the write lock from the start."""
    engine = create_async_engine(
        target,
        hide_parameters=True,
        json_serializer=unparse,
        json_deserializer=parse,
        connect_args={"async_creator_fn": connect},
    )

    @event.listens_for(engine.sync_engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout={_BUSY_MILLISECONDS}",
            "journal_mode=WAL",
            "foreign_keys=ON",
            "synchronous=FULL",
            *pragmas,
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Any) -> None:
        connection.exec_driver_sql(beginning)

    return engine
