"""The due rows of one table as a queue that the loop works on."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Table, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.reconcile.work import Claimed
from bot.store.engine.codec import check_moments
from bot.store.engine.database import Database, repeated
from bot.store.engine.queue.claiming import Worker, claim
from bot.store.engine.writing import chunks, lock

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
