"""How late upstream was each time: measured anew for what has moved since, and kept in memory."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.notice import Notice
from bot.domain.clock import Clock
from bot.domain.feeds.advisory import Release
from bot.domain.reference import Base
from bot.store.engine.database import Database
from bot.store.engine.queue.claiming import Worker
from bot.store.engine.store import Store
from bot.store.rows.bases.observations import histories, loaded
from bot.store.rows.bases.tables import base_of, bases, observations, releases
from bot.store.rows.bases.told_ways import read_releases
from bot.store.rows.images.images import images
from bot.upstream.dotnet.lags import measured_lags
from bot.upstream.dotnet.releases import ReleaseIndex
from bot.upstream.dotnet.tag_family import sibling_of

_AT_ONCE = 40
"""So many histories are in memory together; one of three years is some 25 observations."""


@dataclass(frozen=True, slots=True)
class _Known:
    """The id of a base, and of its last observation."""

    id: int
    last: int
    is_watched: bool


@dataclass(slots=True)
class _Measured:
    """The lags of each base, as it was known by then; of these releases."""

    releases: Sequence[Release] = ()
    lags: dict[Base, tuple[Notice, ...]] = field(default_factory=dict)
    last: Mapping[Base, _Known] = field(default_factory=dict)
    newest: dict[int, int] = field(default_factory=dict)
    """The last observation of each base, by the ids of both, as of `shown`."""
    shown: object = None
    """What all bases showed by then: it changes with every observation, in whatever order they are committed."""


class PromisesStore(Store):
    """Reads only. All who ask share what was measured, so one of it belongs to one worker."""

    def __init__(self, database: Database, worker: Worker, clock: Clock) -> None:
        super().__init__(database, worker, clock)
        self._measured = _Measured()
        self._measuring = asyncio.Lock()

    async def lags(self) -> tuple[Notice, ...]:
        """The lags of .NET releases and OS updates over all that was seen of others' bases, by when each began.

        How long mirrors and images of the fleet took says nothing of upstream.
        """
        async with self._measuring:
            await self._measure()
            now = self._clock.now()
            every = [_until_now(lag, now) for lags in self._measured.lags.values() for lag in lags]
        return tuple(sorted(every, key=lambda lag: (lag.since, lag.base)))

    async def _measure(self) -> None:
        measured = self._measured
        async with self._database.reading() as connection:
            all_releases = await read_releases(connection, select(releases))
            last = await _last_observations(connection, measured)
        if all_releases != measured.releases:
            measured.releases, measured.last = all_releases, {}
        moved = {base for base in last if measured.last.get(base) != last[base]}
        moved |= {base for base in last if sibling_of(base) in moved}
        measured.lags = {base: lags for base, lags in measured.lags.items() if base in last}
        index = ReleaseIndex(all_releases)
        in_order = sorted(moved)
        for start in range(0, len(in_order), _AT_ONCE):
            part = in_order[start : start + _AT_ONCE]
            with_siblings = {
                one for base in part for one in (base, sibling_of(base)) if one is not None and one in last
            }
            async with self._database.reading() as connection:
                found_rows = await histories(connection, [last[base].id for base in with_siblings])
            bases_by_id = {last[base].id: base for base in with_siblings}
            watched = {base for base in with_siblings if last[base].is_watched}
            observation_lists = await asyncio.to_thread(loaded, bases_by_id, found_rows)
            part_lags = await asyncio.to_thread(measured_lags, observation_lists, index, self._clock.now(), watched)
            measured.lags |= {base: tuple(lag for lag in part_lags if lag.base == base) for base in part}
        measured.last = last


def _until_now(lag: Notice, now: datetime) -> Notice:
    return lag if lag.until is not None else replace(lag, delay=now - lag.since)


async def _last_observations(connection: AsyncConnection, measured: _Measured) -> Mapping[Base, _Known]:
    """All bases that others publish, as far as they were observed.

    All observations are looked through only where one came since.
    """
    is_own = and_(images.c.registry == bases.c.registry, images.c.repository == bases.c.repository)
    names = ("id", "registry", "repository", "tag", "observation_id", "used")
    query = select(*(bases.c[name] for name in names)).where(
        bases.c.upstream_id.is_(None), ~select(images.c.id).where(is_own).exists()
    )
    rows = (await connection.execute(query.order_by(bases.c.id))).all()
    last = (await connection.execute(select(func.max(observations.c.id)))).scalar()
    fingerprint = (last, [(row.id, row.observation_id) for row in rows])
    if fingerprint != measured.shown:
        grouped = select(observations.c.base_id, func.max(observations.c.id).label("id"))
        newest = await connection.execute(grouped.group_by(observations.c.base_id))
        measured.newest, measured.shown = {row.base_id: row.id for row in newest}, fingerprint
    return {
        base_of(row): _Known(row.id, measured.newest[row.id], row.used) for row in rows if row.id in measured.newest
    }
