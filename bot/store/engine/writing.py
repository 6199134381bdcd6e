"""How rows are written: inserts that mean the same on both databases, and locks that never wait for each other.

Tables in the order of `lock_order`, which follows from what stands beside each of them; rows of one table by their
ids, or by their keys where several are inserted. SQLite needs none of it: its writing transactions come one after
another.

Rows are locked FOR NO KEY UPDATE, as an UPDATE does by itself. The check of a foreign key, which every insert of a
row that refers to another makes, waits for a stronger lock, and two transactions that insert first and lock
afterwards would wait for each other.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from graphlib import TopologicalSorter
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Table, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.rows.schema import every_table, locked_after, what_is_locked_after

T = TypeVar("T")

_CHUNK = 500
"""Rows to a statement: far under SQLite's limit of 32,766 parameters."""


def chunks(items: Sequence[T], most: int = _CHUNK) -> Iterator[Sequence[T]]:
    return (items[start : start + most] for start in range(0, len(items), most))


async def insert_all(connection: AsyncConnection, table: Table, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Adds rows that all name the same columns, some hundred to a statement; their ids, in their order.

    SQLite numbers rows in the order of their values, though it may return them in any; PostgreSQL is asked to.
    """
    in_order = connection.dialect.name != "sqlite"
    statement = insert(table).returning(table.c.id, sort_by_parameter_order=in_order)
    return [
        number
        for chunk in chunks(rows)
        for number in sorted((await connection.execute(statement, chunk)).scalars())
    ]


def insert_missing(connection: AsyncConnection, table: Table, **values: Any) -> Any:
    """Makes an insert that leaves a row that is already there as it is."""
    return insert_into(connection, table).values(**values).on_conflict_do_nothing()


def upsert(connection: AsyncConnection, table: Table, key: Sequence[str], **values: Any) -> Any:
    """Makes an insert that replaces the other columns of a row that is already there."""
    return upsert_rows(connection, table, key, [name for name in values if name not in key]).values(**values)


def upsert_rows(connection: AsyncConnection, table: Table, key: Sequence[str], others: Sequence[str]) -> Any:
    """Makes the same for rows that are given when it is executed, by their key and these `others`."""
    statement = insert_into(connection, table)
    changed = {name: statement.excluded[name] for name in others}
    return statement.on_conflict_do_update(index_elements=list(key), set_=changed)


def insert_into(connection: AsyncConnection, table: Table) -> Any:
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
    from sqlalchemy.dialects import sqlite

    return sqlite.insert(table)


PRODUCTION = "who produces what"
_PRODUCTION = 3118
"""PostgreSQL's number for the lock on who produces what."""
locked_after(PRODUCTION, "repositories")


@cache
def lock_order() -> tuple[str, ...]:
    """All tables, and the locks that are on none, by name, in the order in which a transaction takes them."""
    return ordered(every_table(), what_is_locked_after())


def ordered(tables: Collection[Table], said: Mapping[str, Collection[str]]) -> tuple[str, ...]:
    """What refers to another table comes after it, and what is `said` to come after something else does, also where
    that refers to it.

    Raises `CycleError` where no order does all of that.
    """
    earlier = {name: set(names) for name, names in said.items()}
    for table in tables:
        referred = {key.column.table.name for key in table.foreign_keys} - {table.name}
        free = {name for name in referred if table.name not in said.get(name, ())}
        earlier[table.name] = earlier.get(table.name, set()) | free
    return tuple(TopologicalSorter({name: sorted(earlier[name]) for name in sorted(earlier)}).static_order())


def in_lock_order(tables: Iterable[Table]) -> tuple[Table, ...]:
    """These tables in the order in which their rows are locked."""
    turns = {name: turn for turn, name in enumerate(lock_order())}
    return tuple(sorted(tables, key=lambda table: turns[table.name]))


async def lock(connection: AsyncConnection, table: Table, ids: Collection[int]) -> None:
    """Holds the rows to the end of the transaction, the lowest id first."""
    if connection.dialect.name == "sqlite":
        return
    for chunk in chunks(sorted(ids)):
        await connection.execute(_locking(table, table.c.id.in_(chunk)))


async def lock_production(connection: AsyncConnection, *, changes: bool) -> None:
    """Holds still who produces which image to the end of the transaction, or, where that `changes`, who builds upon
    images of others: of two that begin at once, the later one sees what the first has written.

    Rows cannot do that: whoever is to be seen may have none yet.
    """
    if connection.dialect.name == "sqlite":
        return
    take = func.pg_advisory_xact_lock if changes else func.pg_advisory_xact_lock_shared
    await connection.execute(select(take(_PRODUCTION)))


async def lock_where(connection: AsyncConnection, table: Table, *where: ColumnElement[bool]) -> list[int]:
    """Locks the rows that meet `where`, and returns their ids."""
    return list((await connection.execute(_locking(table, *where))).scalars())


def _locking(table: Table, *where: ColumnElement[bool]) -> Any:
    return select(table.c.id).where(*where).order_by(table.c.id).with_for_update(key_share=True)
