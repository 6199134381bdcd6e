"""Claiming due rows: the one place where a worker takes work, and the one where it gives it back."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, ColumnElement, RowMapping, String, Table, or_, select, type_coerce, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.failure import LeaseLost
from bot.store.engine.locking import lock_where

_AFTER_EVERY_DATE = ":"
"""Behind all that begins with a digit."""


@dataclass(frozen=True, slots=True)
class Worker:
    """Who claims, and how long a claim holds without a word; once `draining` is set, nothing more is claimed."""

    name: str
    lease: timedelta = timedelta(minutes=10)
    draining: asyncio.Event = field(default_factory=asyncio.Event, compare=False)


async def claim(
    connection: AsyncConnection,
    table: Table,
    worker: Worker,
    now: datetime,
    *,
    limit: int,
    where: Sequence[ColumnElement[bool]] = (),
    order: Sequence[ColumnElement[Any]] = (),
) -> list[RowMapping]:
    """Claims up to `limit` due rows, by `order` and then oldest first, now leased to `worker`; never a row that
    another holds.

    SQLite's transactions begin with the write lock, PostgreSQL skips rows that another claim has locked. What holds
    no date there comes once nothing else is due: whoever reads the row says so, and puts it off to a date.
    """
    if worker.draining.is_set():
        return []
    ids = await _due(connection, table, now, limit, where, order)
    if not ids:
        return []
    taken = (
        update(table)
        .where(table.c.id.in_(ids))
        .values(lease_owner=worker.name, lease_until=now + worker.lease, attempts=table.c.attempts + 1)
        .returning(table)
    )
    rows = (await connection.execute(taken)).mappings().all()
    places = {row: place for place, row in enumerate(ids)}
    return sorted(rows, key=lambda row: places[row["id"]])


async def _due(
    connection: AsyncConnection,
    table: Table,
    now: datetime,
    limit: int,
    where: Sequence[ColumnElement[bool]],
    order: Sequence[ColumnElement[Any]],
) -> list[int]:
    is_due: list[ColumnElement[bool]] = [table.c.due_at <= now]
    is_free: list[ColumnElement[bool]] = [table.c.lease_until.is_(None), table.c.lease_until <= now]
    if connection.dialect.name == "sqlite":
        is_due.append(_holds_no_date(table.c.due_at))
        is_free.append(_holds_no_date(table.c.lease_until))
    for met in is_due:
        rows = await connection.execute(
            select(table.c.id)
            .where(met, or_(*is_free), *where)
            .order_by(*order, table.c.due_at, table.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True, key_share=True)
        )
        if ids := list(rows.scalars()):
            return ids
    return []


def _holds_no_date(column: Column[Any]) -> ColumnElement[bool]:
    """SQLite takes any text there; such as begins with a digit counts as a date of its own."""
    return type_coerce(column, String) >= _AFTER_EVERY_DATE


async def settle(
    connection: AsyncConnection,
    table: Table,
    worker: Worker,
    row: int,
    *,
    due_at: datetime | ColumnElement[datetime],
    succeeded: bool = True,
    values: Mapping[str, Any] | None = None,
) -> None:
    """Ends a claim with its outcome and the next due time; raises `LeaseLost` where it is no longer ours."""
    outcome: dict[str, Any] = {"due_at": due_at, "lease_owner": None, "lease_until": None, **(values or {})}
    if succeeded:
        outcome["attempts"] = 0
    ended = await connection.execute(
        update(table).where(table.c.id == row, table.c.lease_owner == worker.name).values(**outcome)
    )
    if ended.rowcount != 1:
        raise LeaseLost(f"{table.name} {row} is no longer leased to {worker.name}")


async def give_back(connection: AsyncConnection, table: Table, worker: Worker, *, attempted: bool = False) -> int:
    """Frees all rows that `worker` still holds; how many there were.

    `attempted`: it may have begun with them, so the attempt counts; an orderly stop has not.
    """
    held = await lock_where(connection, table, table.c.lease_owner == worker.name)
    freed = await connection.execute(
        update(table)
        .where(table.c.id.in_(held), table.c.lease_owner == worker.name)
        .values(
            lease_owner=None,
            lease_until=None,
            attempts=table.c.attempts if attempted else table.c.attempts - 1,
        )
    )
    return freed.rowcount
