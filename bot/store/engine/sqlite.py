"""SQLite through its driver's thread, with one trip there for a statement and all of its rows.

The driver makes four: for a cursor, the statement, its rows and the end of the cursor. Each wakes another thread
and waits to be woken, which took longer than most statements do. For the same reason a transaction that only reads
begins on the way of its first statement, and nothing is rolled back where no transaction is.
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Self

import aiosqlite

_CHUNK = 64
"""Rows that the driver would fetch at once; nothing here asks for fewer than all."""


def connect(database: str, **options: Any) -> aiosqlite.Connection:
    """Stands in for the driver's own function; to be awaited, like that."""
    connection = Connection(partial(sqlite3.connect, database, **options), _CHUNK)
    connection._thread.daemon = True
    return connection


class Connection(aiosqlite.Connection):
    """One connection with its thread."""

    _begins_with_next = False
    _is_answered = True
    """Whether the thread has done all that it was asked for, so that it is known how the transaction stands."""

    def cursor(self) -> "Cursor":  # type: ignore[override]
        """A new cursor, for which the thread need not be asked."""
        return Cursor(self)

    def begin_with_next(self) -> None:
        """Has a transaction begin right before the next statement: one that locks nothing at its beginning sees and
        holds up nothing until then."""
        self._begins_with_next = True

    def begins_now(self) -> bool:
        """Whether the statement that is asked for next begins the transaction; told once."""
        begins, self._begins_with_next = self._begins_with_next, False
        return begins

    async def commit(self) -> None:
        if not self.begins_now():
            await super().commit()

    async def rollback(self) -> None:
        """SQLAlchemy asks for it whenever it takes a connection back, most often after a commit."""
        self._begins_with_next = False
        if self.in_transaction or not self._is_answered:
            await super().rollback()

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """What is given up while the thread is at work has no answer; the next answer is also to all before."""
        self._is_answered = False
        answer = await super()._execute(fn, *args, **kwargs)  # type: ignore[no-untyped-call]
        self._is_answered = True
        return answer


@dataclass(frozen=True, slots=True)
class _Answer:
    """What SQLite answers to a statement."""

    rows: Sequence[Any] = ()
    description: Any = None
    rowcount: int = -1
    lastrowid: int | None = None


class Cursor:
    """What SQLAlchemy asks of a driver's cursor, but for streams; it holds all rows as soon as a statement has been
    executed.

    SQLite's own cursor ends in the same trip, also where nobody waits for it any more: left open, it would keep the
    lock of its transaction.
    """

    arraysize = 1

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._answer = _Answer()

    async def __aenter__(self) -> Self:
        return self

    @property
    def description(self) -> Any:
        return self._answer.description

    @property
    def rowcount(self) -> int:
        return self._answer.rowcount

    @property
    def lastrowid(self) -> int | None:
        return self._answer.lastrowid

    async def execute(self, statement: str, parameters: Iterable[Any] = ()) -> Self:
        return await self._ask(sqlite3.Cursor.execute, statement, parameters)

    async def executemany(self, statement: str, parameters: Iterable[Iterable[Any]]) -> Self:
        return await self._ask(sqlite3.Cursor.executemany, statement, parameters)

    async def fetchall(self) -> Sequence[Any]:
        """Hands over all rows, and keeps none."""
        rows = self._answer.rows
        await self.close()
        return rows

    async def close(self) -> None:
        """Lets go of the rows; SQLAlchemy asks afterwards how many were written."""
        self._answer = replace(self._answer, rows=())

    async def _ask(self, work: Callable[..., Any], statement: str, parameters: Iterable[Any]) -> Self:
        begins = self._connection.begins_now()

        def ask_in_thread(statement: str, parameters: Iterable[Any]) -> _Answer:
            cursor = self._connection._conn.cursor()
            try:
                if begins:
                    cursor.execute("BEGIN")
                work(cursor, statement, parameters)
                rows = cursor.fetchall() if cursor.description else ()
                return _Answer(rows, cursor.description, cursor.rowcount, cursor.lastrowid)
            finally:
                cursor.close()

        self._answer = await self._connection._execute(ask_in_thread, statement, parameters)
        return self
