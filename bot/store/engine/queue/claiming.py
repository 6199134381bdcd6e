"""Claiming due rows: the one place where a worker takes work, and the one where it gives it back."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    RowMapping,
    Table,
    and_,
    not_,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.failure import LeaseLost
from bot.store.engine.writing import lock_where
from bot.store.rows.columns import holds_no_date, set_right
from bot.store.rows.schema import due_of

LONGEST_LEASE = timedelta(hours=1)
"""So long does a lease last at the most, whoever holds it."""
_LOOKED_TOGETHER = 1.5
"""What is looked at in bulk lies on a grid, up to half an interval after its turn."""


@dataclass(frozen=True, slots=True)
class Worker:
    """Who claims, and how long a claim holds without a word; once `draining` is set, nothing more is claimed.

    `interval` is the longest of those that the operator has set between two looks at something.
    """

    name: str
    lease: timedelta = timedelta(minutes=10)
    interval: timedelta = timedelta(days=1)
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

    SQLite's transactions begin with the write lock, PostgreSQL skips rows that another claim has locked. A clock
    that was ahead has dated what lies further ahead than its schedule can put it: that is due once nothing else is,
    and so is what holds no date, of which whoever reads the row says so and puts it off to a date. What such a
    clock has noted in a row counts as now from here on: a moment that is yet to come tells of no wait.
    """
    if worker.draining.is_set():
        return []
    ids = await _find_due(connection, table, worker, now, limit, where, order)
    if not ids:
        return []
    statement = (
        update(table)
        .where(table.c.id.in_(ids))
        .values(
            lease_owner=worker.name,
            lease_until=now + worker.lease,
            attempts=table.c.attempts + 1,
            **set_right(connection, table, now),
        )
        .returning(table)
    )
    rows = (await connection.execute(statement)).mappings().all()
    places = {row: place for place, row in enumerate(ids)}
    return sorted(rows, key=lambda row: places[row["id"]])


async def _find_due(
    connection: AsyncConnection,
    table: Table,
    worker: Worker,
    now: datetime,
    limit: int,
    conditions: Sequence[ColumnElement[bool]],
    order: Sequence[ColumnElement[Any]],
) -> list[int]:
    ways = _ways_to_be_due(connection, table, worker, now)
    if connection.dialect.name != "sqlite":
        ways = [or_(*ways)]
    free = table.c.lease_until
    is_free = or_(free.is_(None), free <= now, free > now + LONGEST_LEASE)
    for is_due_so in ways:
        rows = await connection.execute(
            select(table.c.id)
            .where(is_due_so, is_free, *conditions)
            .order_by(*order, table.c.due_at, table.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True, key_share=True)
        )
        if ids := list(rows.scalars()):
            return ids
    return []


def is_due(connection: AsyncConnection, table: Table, worker: Worker, now: datetime) -> ColumnElement[bool]:
    """Whether the time of a row has come, as `claim` sees it, whoever holds it."""
    return or_(*_ways_to_be_due(connection, table, worker, now))


def _ways_to_be_due(
    connection: AsyncConnection, table: Table, worker: Worker, now: datetime
) -> list[ColumnElement[bool]]:
    return [table.c.due_at <= now, _is_put_off_too_far(connection, table, worker, now)]


def _is_put_off_too_far(
    connection: AsyncConnection, table: Table, worker: Worker, now: datetime
) -> ColumnElement[bool]:
    """The rows that lie further ahead than their table's schedule and the operator's intervals can have put them.

    A date that people have set counts however far ahead it is.
    """
    due = due_of(table)
    too_far: ColumnElement[bool] = table.c.due_at > now + _LOOKED_TOGETHER * max(due.furthest, worker.interval)
    is_own = [not_(condition) for condition in due.dated_by_people]
    if connection.dialect.name != "sqlite":
        return and_(too_far, *is_own)
    return and_(too_far, or_(holds_no_date(table.c.due_at), and_(true(), *is_own)))


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
    result = await connection.execute(
        update(table).where(table.c.id == row, table.c.lease_owner == worker.name).values(**outcome)
    )
    if result.rowcount != 1:
        raise LeaseLost(f"{table.name} {row} is no longer leased to {worker.name}")


async def give_back(connection: AsyncConnection, table: Table, worker: Worker, *, attempted: bool = False) -> int:
    """Frees all rows that `worker` still holds; how many there were.

    `attempted`: it may have begun with them, so the attempt counts; an orderly stop has not.
    """
    ids = await lock_where(connection, table, table.c.lease_owner == worker.name)
    result = await connection.execute(
        update(table)
        .where(table.c.id.in_(ids), table.c.lease_owner == worker.name)
        .values(
            lease_owner=None,
            lease_until=None,
            attempts=table.c.attempts if attempted else table.c.attempts - 1,
        )
    )
    return result.rowcount
