"""One question for all stages: whether anything was written since it was last asked, and where rows fell due.

A stage that finds neither has nothing to do, so that none of them need ask for itself.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, bindparam, exists, literal, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.failure import Failure
from bot.store.engine.database import Database
from bot.store.engine.failures import failures_of
from bot.store.engine.queue.leases import leased_tables
from bot.store.rows.schema import Moment

_MARKS = {
    "sqlite": "(SELECT data_version FROM pragma_data_version)",
    "postgresql": "CAST(txid_current_snapshot() AS text)",
}
"""What changes with each transaction that has written, whoever made it: SQLite tells each connection of those of
all others, and PostgreSQL which transactions have ended."""


@dataclass(frozen=True, slots=True)
class StoreNews:
    """Whether anybody has written to the store, in this process or in another, and in which tables rows have fallen
    `due`."""

    was_written: bool
    due: frozenset[str] = frozenset()

    def concerns(self, tables: Iterable[Table]) -> bool:
        """Whether those who claim rows of these tables, and read what others write, may find something."""
        return self.was_written or not self.due.isdisjoint(table.name for table in tables)


EVERYTHING = StoreNews(was_written=True)


class Newsboard:
    """Tells what is new in a database, each time since the time before.

    It keeps one connection, by which SQLite tells its mark. What it does not know counts as news: the first time,
    where the database did not answer, and where the clock went back. A lease that runs out is no news, nor is a
    date that only a clock ahead can have written: whoever relies on this still looks now and then untold.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: AsyncConnection | None = None
        self._mark: Any = None
        self._asked_at: datetime | None = None

    async def news(self, now: datetime) -> StoreNews:
        """What was written and has fallen due since the last call; never raises for a database out of reach."""
        try:
            with failures_of(self._database.engine.url):
                return await self._read_news(now)
        except Failure:  # the stages, which then look for themselves, say so
            await self.aclose()
            return EVERYTHING

    async def aclose(self) -> None:
        """Ends the connection; the next call takes another, and tells of everything as new."""
        connection, self._connection, self._mark, self._asked_at = self._connection, None, None, None
        if connection is not None:
            await connection.invalidate()
            await connection.close()

    async def _read_news(self, now: datetime) -> StoreNews:
        if self._connection is None:
            self._connection = await self._database.reader()
        since = self._asked_at
        async with self._connection.begin():
            query = question(self._connection.dialect.name)
            row = (await self._connection.execute(query, {"since": since or now, "now": now})).one()
        mark, *due = row
        is_known = self._mark == mark and since is not None and since <= now
        self._mark, self._asked_at = mark, now
        return StoreNews(
            not is_known,
            frozenset(table.name for table, is_due in zip(leased_tables(), due, strict=True) if is_due),
        )


@cache
def question(dialect: str) -> Select[*tuple[Any, ...]]:
    """One row: the mark, and of each leased table whether a row has fallen due in between."""
    return select(text(_MARKS[dialect]), *(_falls_due(table, dialect) for table in leased_tables()))


def _falls_due(table: Table, dialect: str) -> ColumnElement[bool]:
    """Reads the table's index of due times, and no row beside it. Where the index has only what is still to be
    done, the rest is nobody's."""
    since, now = bindparam("since", type_=Moment), bindparam("now", type_=Moment)
    of_index = [index.dialect_options[dialect]["where"] for index in table.indexes if "due_at" in index.columns]
    open_rows = [condition for condition in of_index if condition is not None]
    return exists(select(literal(1)).where(table.c.due_at > since, table.c.due_at <= now, *open_rows)).label(
        table.name
    )
