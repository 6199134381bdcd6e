"""Inserts that mean the same on both databases."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Table, insert
from sqlalchemy.ext.asyncio import AsyncConnection

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
