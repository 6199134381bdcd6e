"""Deployment records: what `act.recording` reads and writes."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import delete, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.repositories.repository import GITHUB, Identity, owner_of
from bot.domain.running.records import BuiltRun, DeploymentRecord
from bot.fleet.act.recording.tick import REFUSED_FOR, DueRecords
from bot.reconcile.work import Claimed
from bot.store.engine.queue.claiming import DueRows, settle
from bot.store.engine.store import Store
from bot.store.engine.writing import chunks, insert_into, insert_missing, lock
from bot.store.pages.running.exposure import read_producers
from bot.store.rows.repositories.repositories import IDENTITY, identity_of
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.running.records import IS_RECORDED, deployment_records, recorded_sources
from bot.store.rows.running.running import (
    place_columns,
    place_in,
    running_builds,
    running_places,
    running_sources,
    runs,
)
from bot.views.running.exposed import image_name

_RUNNING = (
    select(runs.c.build_id, runs.c.image, runs.c.since, running_builds.c.digest, *place_columns)
    .add_columns(running_places.c.source_id)
    .join(running_places, running_places.c.id == runs.c.place_id)
    .join(running_builds, running_builds.c.id == runs.c.build_id)
    .where(runs.c.until.is_(None))
)


_RECORD = ("name", "image", "digest", "repository")


class RecordingStore(Store):
    """`bot.fleet.act.recording.tick.RecordingStore` on the database."""

    @property
    def records(self) -> DueRows[DueRecords]:
        return DueRows(
            *(self._database, self._worker, recorded_sources, self._read_records),
            lambda row: f"deployment records of {row['owner']}",
            where=[IS_RECORDED],
            ends_with_where=True,
            error="error",
        )

    async def follow_owners(self) -> None:
        now = self._clock.now()
        async with self._database.reading() as connection:
            built = await _built_runs(connection)
            keys = recorded_sources.c.source_id, recorded_sources.c.owner
            known = {tuple(row) for row in await connection.execute(select(*keys))}
        missing = sorted({(source, owner_of(home.name)) for source, home, _ in built} - known)
        if not missing:
            return
        async with self._database.transaction() as connection:
            await lock(connection, running_sources, {source for source, _ in missing})
            for source, owner in missing:
                row = insert_missing(connection, recorded_sources, source_id=source, owner=owner, due_at=now)
                await connection.execute(row)

    async def _read_records(self, claimed: Claimed) -> DueRecords:
        source, owner = claimed.row["source_id"], claimed.row["owner"]
        named = select(running_sources.c.name, running_sources.c.environment).where(running_sources.c.id == source)
        is_told = or_(
            deployment_records.c.refused.is_(None), deployment_records.c.sent_at > self._clock.now() - REFUSED_FOR
        )
        told = select(deployment_records).where(deployment_records.c.recorded_id == claimed.id, is_told)
        async with self._database.reading() as connection:
            name, environment = (await connection.execute(named)).one()
            recorded = {row.name: _record(row) for row in await connection.execute(told)}
            built = [each for each in await _built_runs(connection, source) if owner_of(each[1].name) == owner]
        runs_there = [run for _, _, run in built]
        return DueRecords(claimed.id, name, environment, owner, recorded, runs_there)

    async def save_records(
        self, item: DueRecords, sent: Sequence[DeploymentRecord], refused: Mapping[str, str]
    ) -> None:
        table, now = deployment_records, self._clock.now()
        rows = [
            {
                **{name: getattr(record, name) for name in _RECORD},
                "recorded_id": item.id,
                "sent_at": now,
                "refused": refused.get(record.name),
            }
            for record in sent
            if not record.is_gone
        ]
        async with self._database.transaction() as connection:
            await lock(connection, recorded_sources, [item.id])
            for part in chunks([record.name for record in sent]):
                of_part = table.c.recorded_id == item.id, table.c.name.in_(part)
                await connection.execute(delete(table).where(*of_part))
            for chunk in chunks(rows):
                await connection.execute(insert_into(connection, table), chunk)

    async def settle_records(self, item: DueRecords, due_at: datetime, error: str | None = None) -> None:
        async with self._database.transaction() as connection:
            await settle(
                connection, recorded_sources, self._worker, item.id, due_at=due_at, values={"error": error}
            )


async def _built_runs(
    connection: AsyncConnection, source: int | None = None
) -> list[tuple[int, Identity, BuiltRun]]:
    """What runs and a listed repository at GitHub has built, with its source and repository."""
    query = _RUNNING if source is None else _RUNNING.where(running_places.c.source_id == source)
    rows = (await connection.execute(query)).all()
    producers = await read_producers(connection, {row.build_id: row.image for row in rows})
    homes = {
        row.name: identity_of(row)
        for row in await connection.execute(
            select(*IDENTITY).where(repositories.c.listed.is_(True), repositories.c.forge == GITHUB)
        )
    }
    built: list[tuple[int, Identity, BuiltRun]] = []
    for row in rows:
        home = homes.get(producers.get(row.build_id, ""))
        if home is not None:
            repository = home.name.rpartition("/")[2]
            run = BuiltRun(place_in(row), image_name(row.image), row.digest, repository, row.since)
            built.append((row.source_id, home, run))
    return built


def _record(row: object) -> DeploymentRecord:
    return DeploymentRecord(*(getattr(row, name) for name in _RECORD))
