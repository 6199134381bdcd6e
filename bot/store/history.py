"""The append-only log of observations and releases: read out, and continued from elsewhere."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.change import Change
from bot.domain.bases.observation import Observation, Sight
from bot.domain.feeds.advisory import Release
from bot.domain.reference import Base
from bot.store.engine.codec import dump, load, readable
from bot.store.engine.store import Store
from bot.store.engine.writing import insert_missing, lock
from bot.store.rows.bases.bases import has_base_name
from bot.store.rows.bases.observations import last_with_digest
from bot.store.rows.bases.tables import base_of, bases, changes, observations, releases
from bot.store.rows.bases.told_ways import read_releases, save_release

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Logged:
    """An observation with the change from what was observed before, None where nothing changed."""

    observation: Observation
    change: Change | None = None


class HistoryStore(Store):
    """Reads and continues the log of observations and releases."""

    async def observations(self) -> AsyncIterator[Observation]:
        """Reads all observations, in the order in which they were made."""
        last = 0
        while True:
            async with self._database.reading() as connection:
                rows = (
                    await connection.execute(
                        select(observations.c.id, observations.c.observation)
                        .where(observations.c.id > last)
                        .order_by(observations.c.id)
                        .limit(_PAGE)
                    )
                ).all()
            if not rows:
                return
            page = readable(
                rows, lambda row: load(row.observation, Observation), lambda row: f"observation {row.id}"
            )
            for seen in page:
                yield seen
            last = rows[-1].id

    async def releases(self) -> list[Release]:
        """Reads the releases, by the time when each was first seen."""
        async with self._database.reading() as connection:
            query = select(releases).order_by(releases.c.published_at, releases.c.channel, releases.c.version)
            return await read_releases(connection, query)

    async def bases(self) -> list[Base]:
        """Reads all bases that were ever named."""
        async with self._database.reading() as connection:
            rows = await connection.execute(select(bases.c.registry, bases.c.repository, bases.c.tag))
            return [base_of(row) for row in rows]

    async def add(self, seen: Sequence[Logged]) -> None:
        """Continues the log. The changes count as dealt with: what is past sets off no rollout."""
        now = self._clock.now()
        async with self._database.transaction() as connection:
            ids: dict[Base, int] = {}
            for each in seen:
                base = each.observation.base
                if base not in ids:
                    ids[base] = await _base(connection, base, now)
                last = await last_with_digest(connection, ids[base])
                before = None if last is None else last.id
                added = await _insert(connection, ids[base], each.observation, before)
                await _add_change(connection, ids[base], before, added, each.change, now)

    async def put_before(self, base: Base, earlier: Sequence[Logged], joint: Change | None) -> None:
        """Puts what a base showed before its first observation in front of its log, oldest first.

        `joint` is the change from the last of `earlier` to that first observation, None where it shows the same.
        The log is read in the order of its ids, so what was there gets new ones.
        """
        now = self._clock.now()
        async with self._database.transaction() as connection:
            home = await _base(connection, base, now)
            await lock(connection, bases, [home])
            mine = select(observations).where(observations.c.base_id == home).order_by(observations.c.id)
            there = (await connection.execute(mine)).mappings().all()
            await lock(connection, observations, [row["id"] for row in there])
            before: int | None = None
            for each in earlier:
                added = await _insert(connection, home, each.observation, before)
                await _add_change(connection, home, before, added, each.change, now)
                before = before if each.observation.digest is None else added
            moved = await _append_again(connection, there, before)
            first = next((moved[row["id"]] for row in there if row["digest"] is not None), None)
            await _refer_to(connection, home, moved)
            await connection.execute(delete(observations).where(observations.c.id.in_(list(moved))))
            if first is not None:
                await _add_change(connection, home, before, first, joint, now)
            if joint is None and earlier:
                await _date(connection, home, earlier[-1].observation)

    async def add_releases(self, listed: Iterable[Release]) -> None:
        """Adds releases; one that is known already gets what the other log knows more, and the earlier first
        sights."""
        async with self._database.transaction() as connection:
            kept = await read_releases(connection, select(releases))
            known = {(release.channel, release.version): release for release in kept}
            for release in sorted(listed, key=lambda each: (each.channel, each.version)):
                key = (release.channel, release.version)
                before = known.get(key)
                known[key] = _combined(before, release) if before is not None else release
                if known[key] != before:
                    await save_release(connection, known[key])


def _combined(known: Release, newer: Release) -> Release:
    listings = [at for at in (known.cves_listed_at, newer.cves_listed_at) if at is not None]
    return replace(
        known,
        published_at=min(known.published_at, newer.published_at),
        runtime=known.runtime or newer.runtime,
        aspnetcore=known.aspnetcore or newer.aspnetcore,
        sdks=tuple(dict.fromkeys((*known.sdks, *newer.sdks))),
        security=known.security or newer.security,
        cves=tuple(dict.fromkeys((*known.cves, *newer.cves))),
        cves_listed_at=min(listings, default=None),
    )


async def _base(connection: AsyncConnection, base: Base, now: datetime) -> int:
    """The base's row; where it is new it is not polled until some usage follows it."""
    await connection.execute(
        insert_missing(
            connection,
            bases,
            registry=base.registry,
            repository=base.repository,
            tag=base.tag,
            due_at=now,
            used=False,
        )
    )
    rows = await connection.execute(select(bases.c.id).where(has_base_name(str(base))))
    return int(rows.scalar_one())


async def _add_change(
    connection: AsyncConnection, base: int, before: int | None, after: int, change: Change | None, now: datetime
) -> None:
    if change is None or before is None:
        return
    await connection.execute(
        insert(changes).values(
            base_id=base,
            from_observation=before,
            to_observation=after,
            at=change.at,
            cause=change.cause.value,
            change=dump(change, Change),
            assessed_at=now,
            feeds_revision=0,
            planned=True,
        )
    )


async def _insert(connection: AsyncConnection, base: int, seen: Observation, previous: int | None) -> int:
    added = await connection.execute(
        insert(observations)
        .values(
            base_id=base,
            previous_id=previous,
            at=seen.at,
            digest=seen.digest,
            sight=Sight.FIRST,
            observation=dump(seen, Observation),
            assessed=True,
        )
        .returning(observations.c.id)
    )
    return int(added.scalar_one())


async def _append_again(
    connection: AsyncConnection, there: Sequence[Mapping[Any, Any]], before: int | None
) -> dict[int, int]:
    """Copies the rows to the end of the table, the first of them behind `before`; the new ids by the old ones."""
    moved: dict[int, int] = {}
    for row in there:
        values = {name: value for name, value in row.items() if name != "id"}
        values["previous_id"] = moved.get(row["previous_id"], before)
        added = await connection.execute(insert(observations).values(**values).returning(observations.c.id))
        moved[row["id"]] = int(added.scalar_one())
    return moved


async def _refer_to(connection: AsyncConnection, base: int, moved: Mapping[int, int]) -> None:
    """Lets the base and its changes point to the new ids."""
    for column in (changes.c.from_observation, changes.c.to_observation):
        rows = await connection.execute(select(changes.c.id, column.label("old")).where(changes.c.base_id == base))
        for row in rows.all():
            if row.old in moved:
                values = {column.name: moved[row.old]}
                await connection.execute(update(changes).where(changes.c.id == row.id).values(**values))
    current = await connection.scalar(select(bases.c.observation_id).where(bases.c.id == base))
    if current is not None and current in moved:
        await connection.execute(update(bases).where(bases.c.id == base).values(observation_id=moved[current]))


async def _date(connection: AsyncConnection, base: int, last: Observation) -> None:
    """What a base shows since before it was watched has been there since it was published."""
    await connection.execute(
        update(bases).where(bases.c.id == base, bases.c.digest == last.digest).values(moved_at=last.at)
    )
