"""The engines of SQLAlchemy for the two databases, set so that both behave alike."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bot.domain.failure import Failure, Trouble
from bot.store.engine.codec import parse, unparse
from bot.store.engine.sqlite import connect

_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
}
_EXTRA = "install freshness-bot[postgresql]"
_BUSY_MILLISECONDS = 30_000
_READ_KIBIBYTES = 4_096
"""What SQLite keeps of its file for each reader: with its usual two megabytes, a question about the whole fleet
reads the same pages again and again. With eight, readers that rest held 9 MB more, and ticks took as long."""
_RESTING_READERS, _MOST_CONNECTIONS = 5, 15
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


def database_url(url: str) -> URL:
    """The URL with the driver that we use; raises `Failure` for any other database."""
    try:
        target = make_url(url)
    except ArgumentError as error:
        raise Failure(
            Trouble.MALFORMED, "store.url is no database URL", advice="write sqlite:///PATH or postgresql://…"
        ) from error
    name = target.get_backend_name()
    if name not in _DRIVERS:
        raise Failure(
            Trouble.MALFORMED, f"store.url names {name!r}", advice="only sqlite and postgresql are supported"
        )
    return target.set(drivername=_DRIVERS[name])


def engine_for(target: URL) -> AsyncEngine:
    """The engine of those that write; nothing is connected yet. Raises `Failure` (denied) where the driver of
    PostgreSQL, which is an extra, is not installed."""
    if target.get_backend_name() == "sqlite":
        return _on_sqlite(target, _begin_with_lock, resting=1)
    connect_args = {name: value for name, value in _POSTGRES.items() if name not in target.query}
    try:
        return create_async_engine(
            target, pool_pre_ping=True, hide_parameters=True, json_serializer=unparse, connect_args=connect_args
        )
    except ImportError:
        raise Failure(Trouble.DENIED, "PostgreSQL cannot be reached without psycopg", advice=_EXTRA) from None


def readers_of(engine: AsyncEngine) -> AsyncEngine:
    """The engine of those that only read: SQLite's have connections of their own, on which writing is an error."""
    if engine.dialect.name != "sqlite":
        return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    pragmas = "query_only=ON", f"cache_size=-{_READ_KIBIBYTES}"
    return _on_sqlite(engine.url, _begin_to_read, *pragmas, resting=_RESTING_READERS)


def _begin_with_lock(connection: Connection) -> None:
    """The driver would begin late and in deferred mode; claims need the write lock from the start."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_to_read(connection: Connection) -> None:
    driver_connection: Any = connection.connection.driver_connection
    driver_connection.begin_with_next()


def _on_sqlite(target: URL, begin: Callable[[Connection], None], *pragmas: str, resting: int) -> AsyncEngine:
    """Keeps `resting` connections open, each with a thread and a cache of some megabytes.

    Of those that write one is enough, since they take turns; readers overlap, and to open one takes
    as long as to ask.
    """
    engine = create_async_engine(
        target,
        hide_parameters=True,
        json_serializer=unparse,
        json_deserializer=parse,
        pool_size=resting,
        max_overflow=_MOST_CONNECTIONS - resting,
        pool_use_lifo=True,  # so that those that are seldom needed stay small
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

    event.listen(engine.sync_engine, "begin", begin)
    return engine


def with_password(url: str, password: str) -> str:
    """A database's URL with its password put in."""
    return make_url(url).set(password=password).render_as_string(hide_password=False)
