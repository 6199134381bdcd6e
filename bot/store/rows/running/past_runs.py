"""The runs of a place that have ended, all in one row: those of two years are read at once.

They stay rows of `runs` as well, which tell all of them. Here stand their times and builds alone.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ForeignKey, LargeBinary, Table, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.engine.among import is_among
from bot.store.engine.codec import readable, say_once
from bot.store.engine.writing import chunks, upsert_rows
from bot.store.rows.forgetting import delete_rows
from bot.store.rows.running.packed_runs import PackedRun, PackedRuns, microseconds, moment_of
from bot.store.rows.running.running import HAS_ENDED, runs
from bot.store.rows.schema import Moment, locked_after, metadata

past_runs = Table(
    "past_runs",
    metadata,
    Column("place_id", ForeignKey("running_places.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("first_end", Moment, nullable=False),
    Column("last_end", Moment, nullable=False),
    Column("packed", LargeBinary, nullable=False),
)
"""The runs of a place that are `is_past`: when the first and the last of them ended, and all of them as
`PackedRuns`."""
locked_after(past_runs, runs.name)


async def read_past(
    connection: AsyncConnection, places: Collection[int], after: datetime | None = None
) -> dict[int, PackedRuns | None]:
    """The packed runs of these places, but for those of which the last ended before a time; None where they cannot
    be read."""
    query = select(past_runs.c.place_id, past_runs.c.packed).where(is_among(past_runs.c.place_id, "places"))
    query = query if after is None else query.where(past_runs.c.last_end > after)
    past: dict[int, PackedRuns | None] = {}
    for place, packed in (await connection.execute(query, {"places": places})).all():
        try:
            past[place] = PackedRuns.unpacked(packed)
        except (ValueError, TypeError) as error:
            say_once(f"past runs of place {place}", str(error))
            past[place] = None
    return past


async def pack_runs(connection: AsyncConnection, places: Collection[int]) -> int:
    """Packs the runs of these places that have ended, beside those that were packed before; how many."""
    past = await _readable_past(connection, places)
    query = select(runs).where(HAS_ENDED, is_among(runs.c.place_id, "places"))
    rows = (await connection.execute(query, {"places": places})).all()
    ended: dict[int, list[PackedRun]] = {}
    for place, run in readable(rows, lambda row: (row.place_id, _past(row)), lambda row: f"run {row.id}"):
        ended.setdefault(place, []).append(run)
    packed = {place: PackedRuns.of([*past.get(place, ()), *several]) for place, several in ended.items()}
    ids = sorted(run.id for several in ended.values() for run in several)
    for chunk in chunks(ids):
        await connection.execute(update(runs).where(runs.c.id.in_(chunk)).values(is_past=True))
    await _write(connection, packed)
    return len(ids)


def _past(row: Any) -> PackedRun:
    since, seen_at, until = map(microseconds, (row.since, row.seen_at, row.until))
    return PackedRun(since, until, seen_at, row.id, row.build_id, row.is_older)


async def unpack_runs(connection: AsyncConnection, places: Collection[int]) -> None:
    """Has the runs of these places told by their own rows alone, since they change."""
    for chunk in chunks(sorted(places)):
        is_past = runs.c.place_id.in_(chunk), runs.c.is_past.is_(True)
        await connection.execute(update(runs).where(*is_past).values(is_past=False))
    await delete_rows(connection, past_runs, "place_id", places)


async def forget_past(connection: AsyncConnection, moment: datetime) -> None:
    """Leaves out those that ended before."""
    query = select(past_runs.c.place_id).where(past_runs.c.first_end < moment)
    places = (await connection.execute(query)).scalars().all()
    past, before = await _readable_past(connection, places), microseconds(moment)
    kept = {place: [run for run in past[place] if run.until >= before] for place in past}
    await delete_rows(connection, past_runs, "place_id", [place for place, several in kept.items() if not several])
    await _write(connection, {place: PackedRuns.of(several) for place, several in kept.items() if several})


async def _readable_past(connection: AsyncConnection, places: Collection[int]) -> dict[int, PackedRuns]:
    """Those that are packed of these places; what cannot be read is told by rows again."""
    past = await read_past(connection, places)
    await unpack_runs(connection, [place for place, of_place in past.items() if of_place is None])
    return {place: of_place for place, of_place in past.items() if of_place is not None}


async def _write(connection: AsyncConnection, past: Mapping[int, PackedRuns]) -> None:
    rows = [
        {
            "place_id": place,
            "first_end": moment_of(min(past[place].ends)),
            "last_end": moment_of(max(past[place].ends)),
            "packed": past[place].packed,
        }
        for place in sorted(past)
    ]
    for chunk in chunks(rows):
        others = ("first_end", "last_end", "packed")
        await connection.execute(upsert_rows(connection, past_runs, ["place_id"], others), chunk)
