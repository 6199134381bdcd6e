"""The past of sources: how far it was read, and the runs and times that it tells of."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.running.backfill import (
    KeptPast,
    Key,
    SampledWindow,
    begin_of,
    changes_by_samples,
)
from bot.domain.running.runs import Coverage, RunInPlace
from bot.fleet.running.backfilling.tick import DueBackfill
from bot.fleet.running.rows import add_runs, cover
from bot.reconcile.work import Claimed
from bot.store.engine.queue.claiming import DueRows, settle
from bot.store.engine.store import Store
from bot.store.engine.writing import chunks, insert_missing, lock, lock_where
from bot.store.rows.running.backfills import running_backfills
from bot.store.rows.running.running import (
    HAS_ENDED,
    place_columns,
    place_in,
    running_builds,
    running_looks,
    running_places,
    running_sources,
    runs,
)

_PLACED = runs.join(running_places, running_places.c.id == runs.c.place_id)
_NAMED = _PLACED.join(running_builds, running_builds.c.id == runs.c.build_id)
_UPDATE = (
    update(runs)
    .where(runs.c.id == bindparam("number"))
    .values({name: bindparam(f"new_{name}") for name in ("image", "pods", "seen_at", "until")})
)


class BackfillStore(Store):
    """`bot.fleet.running.backfilling.tick.BackfillStore` on the database."""

    async def follow(self, reaches: Mapping[str, timedelta]) -> None:
        """Has a row for each of these sources that has told what runs; so far back its past is asked for."""
        is_followed = exists().where(running_backfills.c.source_id == running_sources.c.id)
        first_list = func.min(running_looks.c.since).label("first_at")
        new = (
            select(running_sources.c.id, running_sources.c.name, first_list)
            .join(running_looks, running_looks.c.source_id == running_sources.c.id)
            .where(running_sources.c.name.in_(list(reaches)), ~is_followed)
            .group_by(running_sources.c.id, running_sources.c.name)
            .order_by(running_sources.c.id)
        )
        async with self._database.reading() as connection:
            sources = (await connection.execute(new)).all()
        if not sources:
            return
        async with self._database.transaction() as connection:
            for source in sources:
                first_at = min(source.first_at, await _first_seen(connection, source.id) or source.first_at)
                values = {"first_at": first_at, "read_to": begin_of(first_at, reaches[source.name])}
                missing = {"source_id": source.id, "due_at": self._clock.now(), **values}
                await connection.execute(insert_missing(connection, running_backfills, **missing))

    def due(self, sources: Collection[str]) -> DueRows[DueBackfill]:
        """The pasts of these sources that are not read to their end."""
        table = running_backfills
        listed = select(running_sources.c.id).where(running_sources.c.name.in_(sorted(sources)))
        where = table.c.ended_at.is_(None), table.c.source_id.in_(listed)
        return DueRows(self._database, self._worker, table, self._read, _name, where=where)

    async def _read(self, claimed: Claimed) -> DueBackfill:
        row = claimed.row
        query = select(running_sources.c.name).where(running_sources.c.id == row["source_id"])
        async with self._database.reading() as connection:
            name = (await connection.execute(query)).scalar_one()
        return DueBackfill(claimed.id, name, row["first_at"], row["read_to"])

    async def save_window(self, backfill: DueBackfill, window: SampledWindow | None, due_at: datetime) -> None:
        """Keeps what a window tells, and ends the claim; for good without one, since nothing is left to ask for."""
        over = {"ended_at": self._clock.now()}
        values = {"error": None, **(over if window is None else {"read_to": window.until})}
        async with self._database.transaction() as connection:
            is_source = running_sources.c.name == backfill.source
            [source] = await lock_where(connection, running_sources, is_source)
            if window is not None:
                await _write(connection, source, backfill, window)
            await settle(connection, running_backfills, self._worker, backfill.id, due_at=due_at, values=values)


def _name(row: Mapping[str, Any]) -> str:
    return f"past of source {row['source_id']}"


async def _first_seen(connection: AsyncConnection, source: int) -> datetime | None:
    """When the earliest list that showed something was, also where it was read in part."""
    query = select(func.min(runs.c.seen_at)).select_from(_PLACED).where(running_places.c.source_id == source)
    first: datetime | None = await connection.scalar(query)
    return first


async def _write(connection: AsyncConnection, source: int, backfill: DueBackfill, window: SampledWindow) -> None:
    went_on = await _went_on(connection, source, backfill)
    kept = KeptPast(
        backfill.first_at,
        await _coverage(connection, source, backfill),
        tuple(went_on.values()),
        await _own(connection, source, backfill),
    )
    changed = changes_by_samples(kept, window)
    for coverage in changed.covered:
        await cover(connection, source, coverage)
    await add_runs(connection, source, changed.opened, window.until)
    ids = {(run.place, run.digest): number for number, run in went_on.items()}
    await _extend(connection, ids, changed.extended)


async def _coverage(connection: AsyncConnection, source: int, backfill: DueBackfill) -> Coverage | None:
    """The latest that the past has told of."""
    looks = running_looks.c
    of_past = looks.source_id == source, looks.since < backfill.first_at, looks.until <= backfill.first_at
    query = select(running_looks).where(*of_past).order_by(looks.until.desc()).limit(1)
    last = (await connection.execute(query)).first()
    return None if last is None else Coverage(last.since, last.until)


async def _went_on(connection: AsyncConnection, source: int, backfill: DueBackfill) -> dict[int, RunInPlace]:
    """The runs of the past, by id, that no window has ended: their end lies behind what was read."""
    is_open = HAS_ENDED, runs.c.until > backfill.read_to, runs.c.until <= backfill.first_at
    query = (
        select(runs, running_builds.c.digest, *place_columns)
        .select_from(_NAMED)
        .where(running_places.c.source_id == source, *is_open)
    )
    return {
        row.id: RunInPlace(
            *(place_in(row), row.digest, row.image, row.since, row.is_older, row.seen_at, row.pods, row.until)
        )
        for row in await connection.execute(query)
    }


async def _own(connection: AsyncConnection, source: int, backfill: DueBackfill) -> dict[Key, datetime]:
    """Since when each digest is known in each place by what the source told itself, as far as that is earlier than
    its first list."""
    is_own = or_(runs.c.until.is_(None), runs.c.until > backfill.first_at)
    query = (
        select(running_builds.c.digest, *place_columns, func.min(runs.c.since).label("since"))
        .select_from(_NAMED)
        .where(running_places.c.source_id == source, is_own, runs.c.since < backfill.first_at)
        .group_by(running_builds.c.digest, *place_columns)
    )
    return {(place_in(row), row.digest): row.since for row in await connection.execute(query)}


async def _extend(connection: AsyncConnection, ids: Mapping[Key, int], extended: Sequence[RunInPlace]) -> None:
    known = {ids[run.place, run.digest]: run for run in extended}
    await lock(connection, runs, known)
    for chunk in chunks(sorted(known)):
        values = [{"number": number, **_changed(known[number])} for number in chunk]
        await connection.execute(_UPDATE, values)


def _changed(run: RunInPlace) -> dict[str, Any]:
    return {"new_image": run.image, "new_pods": run.pods, "new_seen_at": run.seen_at, "new_until": run.until}
