"""Claiming due rows: the one place where a worker takes work, and the one where it gives it back.

The due rows of one table are a queue that the loop works on.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

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
from bot.reconcile.work import Claimed
from bot.store.engine.codec import check_moments
from bot.store.engine.database import Database, repeated
from bot.store.engine.writing import chunks, lock, lock_where
from bot.store.rows.schema import due_of, holds_no_date, set_right

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


Item = TypeVar("Item")


class DueRows(Generic[Item]):
    """`where` narrows the table to what one stage works on, `order` puts some before those that are due longer.

    `read` makes a value of a row, `name` tells people which row it is, `error` is the column that shows why a row
    could not be done. Where `ends_with_where`, a claim holds no longer than `where` does: what a word stops is
    stopped before its next write, and free once the lease has run out. `rests` is what holds, in the place of
    `where`, of rows that rest after a failure. `kept_time` gives what changes besides in a row that is put off
    until then, where it counts a time that must not run meanwhile.
    """

    def __init__(
        self,
        database: Database,
        worker: Worker,
        table: Table,
        read_item: Callable[[Claimed], Awaitable[Item]],
        name: Callable[[Mapping[str, Any]], str],
        *,
        where: Sequence[ColumnElement[bool]] = (),
        order: Sequence[ColumnElement[Any]] = (),
        error: str | None = "error",
        ends_with_where: bool = False,
        rests: Sequence[ColumnElement[bool]] | None = None,
        kept_time: Callable[[Mapping[str, Any], datetime], Mapping[str, Any]] | None = None,
    ) -> None:
        self._database = database
        self._worker = worker
        self._table = table
        self._read = read_item
        self._name = name
        self._where = where
        self._order = order
        self._error = error
        self._held_while = where if ends_with_where else ()
        self._rests = where if rests is None else rests
        self._kept_time = kept_time

    @repeated
    async def claim(self, now: datetime, limit: int) -> list[Claimed]:
        async with self._database.transaction() as connection:
            rows = await claim(
                connection, self._table, self._worker, now, limit=limit, where=self._where, order=self._order
            )
        claimed_rows = [{str(key): value for key, value in row.items()} for row in rows]
        return [Claimed(row["id"], self._name(row), row["attempts"], row) for row in claimed_rows]

    async def read(self, claimed: Claimed) -> Item:
        check_moments(claimed.row)
        return await self._read(claimed)

    @repeated
    async def renew(self, claims: Sequence[Claimed], now: datetime) -> set[int]:
        until = now + self._worker.lease
        renewed_ids: set[int] = set()
        async with self._database.transaction() as connection:
            await lock(connection, self._table, [claimed.id for claimed in claims])
            for ids in chunks(sorted(claimed.id for claimed in claims)):
                own_rows = self._update_own(ids).where(*self._held_while)
                result = await connection.execute(own_rows.values(lease_until=until).returning(self._table.c.id))
                renewed_ids |= set(result.scalars())
        return renewed_ids

    @repeated
    async def put_off(
        self, claims: Sequence[Claimed], due_at: datetime, *, error: str | None = None, attempted: bool = True
    ) -> None:
        values: dict[str, Any] = {"due_at": due_at, "lease_owner": None, "lease_until": None}
        if error is not None and self._error is not None:
            values[self._error] = error
        if not attempted:
            values["attempts"] = self._table.c.attempts - 1
        async with self._database.transaction() as connection:
            await lock(connection, self._table, [claimed.id for claimed in claims])
            for ids in chunks(sorted(claimed.id for claimed in claims)):
                if self._kept_time is not None:
                    await self._keep_time(connection, ids, due_at, self._kept_time)
                await connection.execute(self._update_own(ids).values(**values))

    async def _keep_time(
        self,
        connection: AsyncConnection,
        ids: Sequence[int],
        due_at: datetime,
        kept_time: Callable[[Mapping[str, Any], datetime], Mapping[str, Any]],
    ) -> None:
        rows = await connection.execute(select(self._table).where(self._table.c.id.in_(ids)))
        for row in rows.mappings().all():
            if values := kept_time({str(key): value for key, value in row.items()}, due_at):
                await connection.execute(self._update_own([row["id"]]).values(**values))

    async def resting(self, beyond: datetime, limit: int) -> list[Claimed]:
        rows = self._table
        query = select(rows).where(
            *(rows.c.due_at > beyond, rows.c.attempts > 0, rows.c.lease_owner.is_(None)), *self._rests
        )
        async with self._database.reading() as connection:
            result = await connection.execute(query.order_by(rows.c.due_at, rows.c.id).limit(limit))
            resting_rows = [{str(key): value for key, value in row.items()} for row in result.mappings()]
        return [Claimed(row["id"], self._name(row), row["attempts"], row) for row in resting_rows]

    @repeated
    async def hasten(self, dues: Mapping[int, datetime]) -> None:
        if not dues:
            return
        rows = self._table
        async with self._database.transaction() as connection:
            await lock(connection, rows, list(dues))
            for row, due_at in sorted(dues.items()):
                is_later = rows.c.due_at > due_at, rows.c.lease_owner.is_(None)
                await connection.execute(update(rows).where(rows.c.id == row, *is_later).values(due_at=due_at))

    def _update_own(self, ids: Sequence[int]) -> Any:
        return update(self._table).where(self._table.c.id.in_(ids), self._table.c.lease_owner == self._worker.name)
