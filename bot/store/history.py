"""The append-only log of observations and releases: read out, and continued from elsewhere."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.advisory import Release
from bot.domain.bases.change import Change
from bot.domain.bases.observation import Observation
from bot.domain.reference import Base
from bot.store.engine.codec import dump, load
from bot.store.engine.inserting import insert_missing
from bot.store.engine.readable import readable
from bot.store.engine.store import Store
from bot.store.rows.bases.observations import add_observation
from bot.store.rows.bases.releases import read_releases, save_release
from bot.store.rows.tables import bases, changes, observations, releases
from bot.watch.registry.stage import Sight

_PAGE = 1000


class HistoryStore(Store):
    async def observations(self) -> AsyncIterator[Observation]:
        """All of them, in the order in which they were made."""
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
            named = readable(
                rows, lambda row: load(row.observation, Observation), lambda row: f"observation {row.id}"
            )
            for seen in named:
                yield seen
            last = rows[-1].id

    async def releases(self) -> list[Release]:
        """By the time when each was first seen."""
        async with self._database.reading() as connection:
            query = select(releases).order_by(releases.c.published_at, releases.c.channel, releases.c.version)
            return await read_releases(connection, query)

    async def newest(self) -> dict[Base, datetime]:
        """When each base was last observed: the log goes on from there."""
        async with self._database.reading() as connection:
            rows = await connection.execute(
                select(bases.c.registry, bases.c.repository, bases.c.tag, func.max(observations.c.at).label("at"))
                .join(observations, observations.c.base_id == bases.c.id)
                .group_by(bases.c.registry, bases.c.repository, bases.c.tag)
            )
            return dict(
                readable(
                    rows,
                    lambda row: (Base(row.registry, row.repository, row.tag), row.at),
                    lambda row: f"the newest observation of {row.repository}:{row.tag}",
                )
            )

    async def add(self, seen: Sequence[tuple[Observation, Change | None]]) -> None:
        """Continues the log. The changes count as dealt with: what is past sets off no rollout."""
        now = self._clock.now()
        async with self._database.transaction() as connection:
            ids: dict[Base, int] = {}
            for observation, change in seen:
                base = observation.base
                if base not in ids:
                    ids[base] = await _base(connection, base, now)
                await _add(connection, ids[base], observation, change, now)

    async def add_releases(self, listed: Iterable[Release]) -> None:
        """A release that is known already gets what the other log knows more, and the earlier first sights."""
        async with self._database.transaction() as connection:
            kept = await read_releases(connection, select(releases))
            known = {(release.channel, release.version): release for release in kept}
            for release in sorted(listed, key=lambda each: (each.channel, each.version)):
                key = (release.channel, release.version)
                before = known.get(key)
                known[key] = _combined(before, release) if before is not None else release
                if known[key] != before:
                    await save_release(connection, known[key])


def _combined(known: Release, told: Release) -> Release:
    listings = [at for at in (known.cves_listed_at, told.cves_listed_at) if at is not None]
    return replace(
        known,
        published_at=min(known.published_at, told.published_at),
        runtime=known.runtime or told.runtime,
        aspnetcore=known.aspnetcore or told.aspnetcore,
        sdks=tuple(dict.fromkeys((*known.sdks, *told.sdks))),
        security=known.security or told.security,
        cves=tuple(dict.fromkeys((*known.cves, *told.cves))),
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
    found = await connection.execute(
        select(bases.c.id).where(
            bases.c.registry == base.registry, bases.c.repository == base.repository, bases.c.tag == base.tag
        )
    )
    return int(found.scalar_one())


async def _add(
    connection: AsyncConnection, base: int, observation: Observation, change: Change | None, now: datetime
) -> None:
    before = await connection.scalar(
        select(func.max(observations.c.id)).where(
            observations.c.base_id == base, observations.c.digest.is_not(None)
        )
    )
    added = await add_observation(connection, base, observation, Sight.FIRST)
    if change is not None and before is not None:
        await connection.execute(
            insert(changes).values(
                base_id=base,
                from_observation=before,
                to_observation=added,
                at=change.at,
                cause=change.cause.value,
                change=dump(change, Change),
                assessed_at=now,
                feeds_revision=0,
                planned=True,
            )
        )
