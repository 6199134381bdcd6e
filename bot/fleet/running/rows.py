"""What runs: what the stage, and whoever is told of a cluster, reads and writes."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    and_,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    true,
    union_all,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.observation import PlatformImage
from bot.domain.clock import AHEAD
from bot.domain.reference import InvalidReference, Reference
from bot.domain.running.runs import (
    STALE_AFTER,
    Coverage,
    KeptRuns,
    RunChanges,
    RunInPlace,
    RunningSource,
    changes_by,
)
from bot.domain.running.snapshot import RunningPlace, Snapshot
from bot.fleet.running.reading import UnreadBuild
from bot.fleet.running.tick import DueSource
from bot.reconcile.work import Claimed
from bot.store.engine.among import is_among
from bot.store.engine.queue.claiming import DueRows, settle
from bot.store.engine.store import Store
from bot.store.engine.writing import chunks, insert_into, insert_missing, lock, lock_where
from bot.store.rows.inventories.inventories import inventories, later_indexes, sbom_looks
from bot.store.rows.inventories.wanted import ShownImage, want_inventories
from bot.store.rows.running.backfills import running_backfills
from bot.store.rows.running.past import past_contents
from bot.store.rows.running.past_runs import forget_past, pack_runs, past_runs, unpack_runs
from bot.store.rows.running.running import (
    HAS_ENDED,
    place_columns,
    place_in,
    running_builds,
    running_contents,
    running_looks,
    running_places,
    running_reads,
    running_sources,
    runs,
)

_OPEN = (
    select(runs, running_builds.c.digest, *place_columns)
    .join(running_places, running_places.c.id == runs.c.place_id)
    .join(running_builds, running_builds.c.id == runs.c.build_id)
    .where(runs.c.until.is_(None))
)
_FILLED = (
    select(running_places.c.id)
    .join(running_backfills, running_backfills.c.source_id == running_places.c.source_id)
    .where(running_backfills.c.ended_at.is_(None))
)
_IS_KEPT = exists().where(past_contents.c.build_id == runs.c.build_id)
_MATTERS = or_(runs.c.until.is_(None), and_(runs.c.place_id.in_(_FILLED), ~_IS_KEPT))
"""What runs, and what ran where the past of its source is being read, but for what is kept of that already."""
_NAMED_BY: Mapping[str, tuple[ColumnElement[Any], ColumnElement[Any]]] = {
    "platform": (inventories.c.digest, inventories.c.id),
    "config": (inventories.c.config_digest, inventories.c.id),
    "index": (sbom_looks.c.index_digest, sbom_looks.c.inventory_id),
    "later index": (later_indexes.c.index_digest, later_indexes.c.inventory_id),
}
"""By which digests an inventory goes: those that a column holds, beside its id."""


class RunningStore(Store):
    """`bot.fleet.running.tick.RunningStore` on the database."""

    @property
    def sources(self) -> DueRows[DueSource]:
        is_asked = (running_sources.c.is_asked.is_(True), running_sources.c.is_listed.is_(True))
        return DueRows(
            self._database, self._worker, running_sources, _due_source, lambda row: str(row["name"]), where=is_asked
        )

    async def follow(self, sources: Sequence[RunningSource]) -> None:
        """Has a row for each of these; what others have told stays until it is old."""
        values = {each.name: _source_values(each) for each in sources}
        table = running_sources
        async with self._database.reading() as connection:
            rows = (await connection.execute(select(table))).all()
        known = {row.name: {name: row._mapping[name] for name in _SOURCE_COLUMNS} for row in rows if row.is_listed}
        if known == values:
            return
        async with self._database.transaction() as connection:
            for name in sorted(values):
                missing = insert_missing(connection, table, name=name, due_at=self._clock.now(), **values[name])
                await connection.execute(missing)
                await connection.execute(
                    update(table).where(table.c.name == name).values(is_listed=True, **values[name])
                )
            await connection.execute(update(table).where(table.c.name.not_in(values)).values(is_listed=False))

    async def save_snapshot(self, source: str, snapshot: Snapshot) -> bool:
        """Opens, extends and closes the runs of a source; whether the snapshot was later than what is known.

        A clock that is ahead counts as ours, so that what comes next is not taken for older.
        """
        now = self._clock.now()
        snapshot = replace(snapshot, taken_at=min(snapshot.taken_at, now))
        table = running_sources
        async with self._database.transaction() as connection:
            seconds = int(STALE_AFTER.total_seconds())
            await connection.execute(
                insert_missing(connection, table, name=source, stale_after=seconds, due_at=now)
            )
            [number] = await lock_where(connection, table, table.c.name == source)
            row = (await connection.execute(select(table).where(table.c.id == number))).one()
            kept, ids = await _read_kept(connection, row)
            if _is_dated_ahead(kept, now + AHEAD):
                kept, ids = await _read_kept(connection, await _put_back(connection, number, now))
            changed = changes_by(kept, snapshot, timedelta(seconds=row.stale_after))
            if changed is None:
                return False
            await _write(connection, number, kept, changed, ids, snapshot)
        return True

    async def settle_source(self, source: DueSource, due_at: datetime) -> None:
        async with self._database.transaction() as connection:
            values = {"error": None}
            await settle(connection, running_sources, self._worker, source.id, due_at=due_at, values=values)

    async def match(self) -> int:
        """Notes what is inside builds that run, by whichever digest a node names them; of how many that is new."""
        async with self._database.reading() as connection:
            rows = [dict(row._mapping) for row in await connection.execute(_MATCHES)]
        if not rows:
            return 0
        rows.sort(key=lambda row: (row["build_id"], row["inventory_id"]))
        async with self._database.transaction() as connection:
            for chunk in chunks(rows):
                held, built = ({row[name] for row in chunk} for name in ("inventory_id", "build_id"))
                known = set(await lock_where(connection, inventories, inventories.c.id.in_(held)))
                builds = set(await lock_where(connection, running_builds, running_builds.c.id.in_(built)))
                if there := [row for row in chunk if row["inventory_id"] in known and row["build_id"] in builds]:
                    statement = insert_into(connection, running_contents).on_conflict_do_nothing()
                    await connection.execute(statement, there)
        return len({row["build_id"] for row in rows})

    async def want_builds(self, hosts: Collection[str]) -> int:
        """Has builds read that run and of which nothing is known, as far as these hosts serve them; how many."""
        async with self._database.reading() as connection:
            found = (await connection.execute(_UNKNOWN)).all()
        now, rows = self._clock.now(), dict[int, dict[str, Any]]()
        for build, image in found:
            place = _place_of(image)
            if place is not None and place.registry in hosts:
                names = {"registry": place.registry, "repository": place.repository}
                rows.setdefault(build, {"build_id": build, **names, "due_at": now})
        if not rows:
            return 0
        async with self._database.transaction() as connection:
            for chunk in chunks(sorted(rows)):
                there = await lock_where(connection, running_builds, running_builds.c.id.in_(chunk))
                statement = insert_into(connection, running_reads).on_conflict_do_nothing()
                if there:
                    await connection.execute(statement, [rows[number] for number in there])
        return len(rows)

    @property
    def unread(self) -> DueRows[UnreadBuild]:
        is_wanted = exists().where(runs.c.build_id == running_reads.c.build_id, _MATTERS)
        where = (running_reads.c.read_at.is_(None), is_wanted)
        table = running_reads
        return DueRows(
            self._database, self._worker, table, self._read_unread, _name_of_read, where=where, error="error"
        )

    async def _read_unread(self, claimed: Claimed) -> UnreadBuild:
        row = claimed.row
        query = select(running_builds.c.digest).where(running_builds.c.id == row["build_id"])
        async with self._database.reading() as connection:
            digest = (await connection.execute(query)).scalar_one()
        return UnreadBuild(claimed.id, row["build_id"], digest, row["registry"], row["repository"])

    async def save_build(self, build: UnreadBuild, platforms: Sequence[PlatformImage], error: str | None) -> None:
        """An index is kept with its images as a later one is: no tag of the fleet is known to have shown it."""
        now = self._clock.now()
        shown = [ShownImage(build.registry, build.repository, each) for each in platforms]
        async with self._database.transaction() as connection:
            ids = await want_inventories(connection, shown, now)
            links = [
                {"index_digest": build.digest, "inventory_id": number, "seen_at": now}
                for digest, number in sorted(ids.items(), key=lambda each: each[1])
                if digest != build.digest
            ]
            if links:
                await connection.execute(insert_into(connection, later_indexes).on_conflict_do_nothing(), links)
            values = {"read_at": now, "error": error}
            await settle(connection, running_reads, self._worker, build.id, due_at=now, values=values)

    async def pack_ended(self, moment: datetime) -> int:
        """Packs all that has ended in some of the places where anything ended before and is not packed; how many
        runs. What is read of the past of a source goes on to change until that is over."""
        is_due = HAS_ENDED, runs.c.until < moment, runs.c.place_id.not_in(_FILLED)
        query = select(runs.c.place_id).where(*is_due).distinct().order_by(runs.c.place_id).limit(_PACKED_AT_ONCE)
        async with self._database.reading() as connection:
            places = (await connection.execute(query)).scalars().all()
        if not places:
            return 0
        async with self._database.transaction() as connection:
            of_places = select(running_places.c.source_id).where(running_places.c.id.in_(places))
            await lock_where(connection, running_sources, running_sources.c.id.in_(of_places))
            return await pack_runs(connection, places)

    async def forget_before(self, moment: datetime) -> int:
        """Forgets runs that ended before, with the places and builds that nothing else names; how many runs."""
        is_old = or_(runs.c.until < moment, runs.c.until.is_(None) & (runs.c.seen_at < moment))
        is_kept = func.coalesce(runs.c.until, runs.c.seen_at) >= moment
        old_look = running_looks.c.until < moment
        has_old = (
            exists().where(HAS_ENDED, runs.c.until < moment),
            exists().where(past_runs.c.first_end < moment),
            exists().where(runs.c.until.is_(None), runs.c.seen_at < moment),
            exists().where(old_look),
        )
        async with self._database.reading() as connection:
            if not await connection.scalar(select(or_(*has_old))):
                return 0
        async with self._database.transaction() as connection:
            await lock_where(connection, running_sources, true())
            old: int = await connection.scalar(select(func.count()).select_from(runs).where(is_old)) or 0
            await connection.execute(delete(running_looks).where(old_look))
            is_named = exists().where(runs.c.place_id == running_places.c.id, is_kept)
            unused = (~is_named, running_places.c.pulls_since.is_(None))
            await connection.execute(delete(running_places).where(*unused))
            is_run = exists().where(runs.c.build_id == running_builds.c.id, is_kept)
            await connection.execute(delete(running_builds).where(~is_run))
            await connection.execute(delete(runs).where(is_old))
            await forget_past(connection, moment)
        return old


_PACKED_AT_ONCE = 200
"""Places: others wait to write meanwhile."""
_SOURCE_COLUMNS = ("environment", "stale_after", "is_asked")


def _source_values(source: RunningSource) -> dict[str, Any]:
    seconds = int(source.stale_after.total_seconds())
    return {"environment": source.environment, "stale_after": seconds, "is_asked": source.every is not None}


async def _due_source(claimed: Claimed) -> DueSource:
    return DueSource(claimed.id, claimed.row["name"])


def _is_dated_ahead(kept: KeptRuns, limit: datetime) -> bool:
    dates = [run.seen_at for run in kept.runs]
    dates += [kept.told_at] if kept.told_at is not None else []
    dates += [kept.coverage.until] if kept.coverage is not None else []
    return any(date > limit for date in dates)


async def _put_back(connection: AsyncConnection, source: int, now: datetime) -> Row[Any]:
    """Takes what a clock that was ahead has dated for something of this moment: nothing would be news until then.

    Answers the source as it is now.
    """
    looks, places, table = running_looks.c, running_places.c, running_sources
    await connection.execute(update(table).where(table.c.id == source).values(told_at=None))
    await connection.execute(delete(running_looks).where(looks.source_id == source, looks.since > now))
    is_late = looks.source_id == source, looks.until > now
    await connection.execute(update(running_looks).where(*is_late).values(until=now))
    pulled_later = places.source_id == source, places.pulls_since > now
    await connection.execute(update(running_places).where(*pulled_later).values(pulls_since=now))
    of_it = runs.c.place_id.in_(select(places.id).where(places.source_id == source))
    dated = or_(runs.c.since > now, runs.c.seen_at > now, runs.c.until > now)
    packed = select(runs.c.place_id).where(of_it, dated, runs.c.is_past.is_(True)).distinct()
    await unpack_runs(connection, (await connection.execute(packed)).scalars().all())
    await lock_where(connection, runs, of_it, dated)
    for column, beside in ((runs.c.since, {"is_older": True}), (runs.c.seen_at, {}), (runs.c.until, {})):
        values = {column.name: now, **beside}
        await connection.execute(update(runs).where(of_it, column > now).values(values))
    return (await connection.execute(select(table).where(table.c.id == source))).one()


async def _read_kept(
    connection: AsyncConnection, source: Row[Any]
) -> tuple[KeptRuns, dict[tuple[RunningPlace, str], int]]:
    """What is kept of a source, and the ids of its open runs."""
    looks = select(running_looks).where(running_looks.c.source_id == source.id)
    last = (await connection.execute(looks.order_by(running_looks.c.until.desc()).limit(1))).first()
    coverage = None if last is None else Coverage(last.since, last.until)
    open_runs: dict[tuple[RunningPlace, str], tuple[int, RunInPlace]] = {}
    for row in await connection.execute(_OPEN.where(running_places.c.source_id == source.id)):
        place = place_in(row)
        times = row.since, row.is_older, row.seen_at, row.pods
        open_runs[place, row.digest] = row.id, RunInPlace(place, row.digest, row.image, *times)
    kept = KeptRuns(source.told_at, coverage, tuple(run for _, run in open_runs.values()))
    return kept, {key: number for key, (number, _) in open_runs.items()}


async def _write(
    connection: AsyncConnection,
    source: int,
    kept: KeptRuns,
    changed: RunChanges,
    ids: Mapping[tuple[RunningPlace, str], int],
    snapshot: Snapshot,
) -> None:
    values = {"told_at": snapshot.taken_at, "not_read": list(snapshot.not_read[:_MOST_TOLD]) or None}
    await connection.execute(update(running_sources).where(running_sources.c.id == source).values(**values))
    if changed.coverage is not None and changed.coverage != kept.coverage:
        await cover(connection, source, changed.coverage)
    shown = None if snapshot.is_whole else {run.place for run in (*changed.opened, *changed.extended)}
    await _note_pulling(connection, source, changed.pulling, shown, snapshot.taken_at)
    await add_runs(connection, source, changed.opened, snapshot.taken_at)
    await lock(connection, runs, ids.values())
    await _end(connection, [ids[run.place, run.digest] for run in changed.closed], snapshot.taken_at)
    await _extend(connection, kept, changed.extended, ids, snapshot.taken_at)


_MOST_TOLD = 50


async def cover(connection: AsyncConnection, source: int, coverage: Coverage) -> None:
    """Keeps a time through which a source was read as a whole, or until when one goes on."""
    key = {"source_id": source, "since": coverage.since}
    row = insert_into(connection, running_looks).values(**key, until=coverage.until)
    await connection.execute(row.on_conflict_do_update(index_elements=list(key), set_={"until": coverage.until}))


async def _note_pulling(
    connection: AsyncConnection,
    source: int,
    pulling: Collection[RunningPlace],
    shown: Collection[RunningPlace] | None,
    at: datetime,
) -> None:
    """Notes where containers wait for an image, and where none does any more: of a list that is not whole that is
    known of the places `shown` with a digest alone."""
    table = running_places
    is_noted = (table.c.source_id == source, table.c.pulls_since.is_not(None))
    noted = {place_in(row): row.id for row in await connection.execute(select(table).where(*is_noted))}
    over = sorted(noted[place] for place in noted.keys() - pulling if shown is None or place in shown)
    began = pulling - noted.keys()
    if not over and not began:
        return
    places = await _place_ids(connection, source, began)
    await connection.execute(update(table).where(table.c.id.in_(over)).values(pulls_since=None))
    await connection.execute(update(table).where(table.c.id.in_(sorted(places.values()))).values(pulls_since=at))


async def _place_ids(
    connection: AsyncConnection, source: int, places: Collection[RunningPlace]
) -> dict[RunningPlace, int]:
    """The ids of these places of a source; those that are new are added."""
    table = running_places
    rows = [{"source_id": source, **asdict(place)} for place in sorted(places)]
    for chunk in chunks(rows):
        await connection.execute(insert_into(connection, table).on_conflict_do_nothing(), chunk)
    known = await connection.execute(
        select(table).where(table.c.source_id == source, is_among(table.c.workload, "workloads")),
        {"workloads": {place.workload for place in places}},
    )
    return {place: row.id for row in known if (place := place_in(row)) in places}


async def add_runs(connection: AsyncConnection, source: int, opened: Sequence[RunInPlace], at: datetime) -> None:
    """Adds runs of a source, with the places and builds that are new."""
    if not opened:
        return
    places = await _place_ids(connection, source, {run.place for run in opened})
    digests = sorted({run.digest for run in opened})
    for chunk in chunks([{"digest": digest, "seen_at": at} for digest in digests]):
        await connection.execute(insert_into(connection, running_builds).on_conflict_do_nothing(), chunk)
    known = await connection.execute(
        select(running_builds.c.digest, running_builds.c.id).where(is_among(running_builds.c.digest, "digests")),
        {"digests": digests},
    )
    builds = {row.digest: row.id for row in known}
    rows = [
        {
            "place_id": places[run.place],
            "build_id": builds[run.digest],
            "image": run.image,
            **_times(run),
            "until": run.until,
        }
        for run in opened
    ]
    rows.sort(key=lambda row: (row["place_id"], row["build_id"]))
    for part in chunks(rows):
        await connection.execute(insert(runs), part)


def _times(run: RunInPlace) -> dict[str, Any]:
    return {"since": run.since, "is_older": run.is_older, "seen_at": run.seen_at, "pods": run.pods}


async def _end(connection: AsyncConnection, ids: Sequence[int], at: datetime) -> None:
    for chunk in chunks(sorted(ids)):
        await connection.execute(update(runs).where(runs.c.id.in_(chunk)).values(until=at))


async def _extend(
    connection: AsyncConnection,
    kept: KeptRuns,
    extended: Sequence[RunInPlace],
    ids: Mapping[tuple[RunningPlace, str], int],
    at: datetime,
) -> None:
    """Most of them were seen as before: these are written by few statements."""
    before = {(run.place, run.digest): run for run in kept.runs}
    for run in extended:
        number = ids[run.place, run.digest]
        known = before[run.place, run.digest]
        if run != replace(known, seen_at=run.seen_at):
            values = {**_times(run), "image": run.image}
            await connection.execute(update(runs).where(runs.c.id == number).values(**values))
    for chunk in chunks(sorted(ids[run.place, run.digest] for run in extended)):
        await connection.execute(update(runs).where(runs.c.id.in_(chunk)).values(seen_at=at))


def _matching() -> Any:
    """What is inside builds that matter, as far as that is not noted yet: by the digest of an index, now or later,
    of a platform's manifest or of a config. What names one platform alone says so before what names all.

    Whether a build matters is asked last, of what is not noted: of one that ran long ago, it takes all of its runs.
    """
    is_wanted = exists().where(runs.c.build_id == running_builds.c.id, _MATTERS)
    found = union_all(
        *(
            select(
                running_builds.c.id.label("build_id"),
                inventory.label("inventory_id"),
                literal(kind.removeprefix("later ")).label("kind"),
            )
            .join_from(running_builds, inventory.table, digest == running_builds.c.digest)
            .where(~_is_noted(inventory), is_wanted)
            for kind, (digest, inventory) in _NAMED_BY.items()
        )
    ).subquery()
    return select(found.c.build_id, found.c.inventory_id, func.max(found.c.kind).label("kind")).group_by(
        found.c.build_id, found.c.inventory_id
    )


def _is_noted(inventory: ColumnElement[Any]) -> ColumnElement[bool]:
    noted = running_contents.c
    return exists().where(noted.build_id == running_builds.c.id, noted.inventory_id == inventory)


_MATCHES = _matching()
_UNREAD = select(running_builds.c.id).where(
    ~exists().where(running_contents.c.build_id == running_builds.c.id),
    ~exists().where(running_reads.c.build_id == running_builds.c.id),
)
_UNKNOWN = (
    select(runs.c.build_id, runs.c.image)
    .where(runs.c.build_id.in_(_UNREAD), _MATTERS)
    .distinct()
    .order_by(runs.c.build_id, runs.c.image)
)


def _name_of_read(row: Mapping[str, Any]) -> str:
    return f"{row['registry']}/{row['repository']}"


def _place_of(image: str) -> Reference | None:
    """Where an image is served, as a workload names it; None where that is no name of one."""
    try:
        return Reference.parse(image)
    except InvalidReference:
        return None
