"""Claiming due rows: the one place where a worker takes work, and the one where it gives it back."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Table, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.failure import LeaseLost
from bot.store.engine.locking import lock_where


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
    """Up to `limit` due rows, by `order` and then oldest first, now leased to `worker`; never a row that another
    holds.

    SQLite's transactions begin with the write lock, PostgreSQL skips rows that another claim has locked.
    """
    if worker.draining.is_set():
        return []
    due = (
        select(table.c.id)
        .where(table.c.due_at <= now, or_(table.c.lease_until.is_(None), table.c.lease_until <= now), *where)
        .order_by(*order, table.c.due_at, table.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
    )
    ids = list((await connection.execute(due)).scalars())
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


async def settle(
    connection: AsyncConnection,
    table: Table,
    worker: Worker,
    row: int,
    *,
    due_at: datetime,
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
