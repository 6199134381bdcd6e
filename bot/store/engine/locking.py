"""The order in which transactions lock rows, so that no two of them wait for each other.

Tables in the order of `lock_order`, which follows from what stands beside each of them; rows of one table by their
ids, or by their keys where several are inserted. SQLite needs none of it: its writing transactions come one after
another.

Rows are locked FOR NO KEY UPDATE, as an UPDATE does by itself. The check of a foreign key, which every insert of a
row that refers to another makes, waits for a stronger lock, and two transactions that insert first and lock
afterwards would wait for each other.
"""

from collections.abc import Collection, Iterable, Mapping
from functools import cache
from graphlib import TopologicalSorter
from typing import Any

from sqlalchemy import ColumnElement, Table, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.engine.inserting import chunks
from bot.store.rows.schema import every_table, locked_after, what_is_locked_after

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
