"""What was measured of upstream, for all pages that tell of it: how late it was each time, and how late its
mirrors."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Self

from sqlalchemy import and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.mirrors import mirror_prefix, tells_by_digests, took
from bot.domain.bases.notice import Notice
from bot.domain.clock import Clock
from bot.domain.feeds.advisory import Release
from bot.domain.reference import Base
from bot.store.engine.database import Database
from bot.store.engine.queue.claiming import Worker
from bot.store.engine.store import Store
from bot.store.engine.writing import chunks
from bot.store.rows.bases.mirrors import upstreams
from bot.store.rows.bases.observations import digests_shown, histories, loaded
from bot.store.rows.bases.tables import base_of, bases, observations, releases
from bot.store.rows.bases.told_ways import read_releases
from bot.store.rows.images.images import images
from bot.store.stores import Stores
from bot.upstream.dotnet.lags import measured_lags
from bot.upstream.dotnet.releases import ReleaseIndex
from bot.upstream.dotnet.tag_family import sibling_of
from bot.views.bases.mirrors import Took, took_of

_LATELY = timedelta(days=365)
_LAGS_AT_ONCE = 20
"""Of so many mirrors' bases, each with its upstream, platforms and layers are in memory together."""

_Lags = tuple[tuple[datetime, timedelta], ...]


@dataclass(frozen=True, slots=True)
class _Pair:
    """A mirror's base and what it is a copy of; `last` are the ids of the last observations of both."""

    copy: int
    upstream: int
    place: str
    last: tuple[int | None, int | None]


class MirrorLagsStore(Store):
    """Reads only. All who ask share what was measured, so one of it belongs to one worker."""

    def __init__(self, database: Database, worker: Worker, clock: Clock) -> None:
        super().__init__(database, worker, clock)
        self._lags: dict[int, _Lags] = {}
        self._measured_pairs: dict[int, _Pair] = {}
        self._measuring = asyncio.Lock()

    async def took(self) -> dict[str, Took]:
        """By mirror, how long its bases in use took in the last year, by all that was seen of them or given of the
        past."""
        async with self._measuring:
            await self._measure()
            since = self._clock.now() - _LATELY
            lags_by_place: dict[str, list[timedelta]] = {}
            for number, pair in self._measured_pairs.items():
                lags_by_place.setdefault(pair.place, []).extend(
                    lag for taken_at, lag in self._lags[number] if taken_at >= since
                )
        took_by_place = {place: took_of(lags) for place, lags in sorted(lags_by_place.items())}
        return {place: each for place, each in took_by_place.items() if each is not None}

    async def _measure(self) -> None:
        async with self._database.reading() as connection:
            pairs = {pair.copy: pair for pair in await _pairs(connection)}
        moved = [pair for pair in pairs.values() if self._measured_pairs.get(pair.copy) != pair]
        lags = {number: pair_lags for number, pair_lags in self._lags.items() if number in pairs}
        async with self._database.reading() as connection:
            digests = await digests_shown(connection, _name_bases(moved))
        pushed_anew = []
        for pair in moved:
            copies, published = digests[pair.copy], digests[pair.upstream]
            if tells_by_digests(copies, published):
                lags[pair.copy] = took(copies, published)
            else:
                pushed_anew.append(pair)
        for part in chunks(sorted(pushed_anew, key=lambda pair: pair.upstream), _LAGS_AT_ONCE):
            bases_by_id = _name_bases(part)
            async with self._database.reading() as connection:
                rows = await histories(connection, sorted(bases_by_id))
            observation_lists = await asyncio.to_thread(loaded, bases_by_id, rows)
            for pair in part:
                lags[pair.copy] = took(
                    observation_lists.get(bases_by_id[pair.copy], ()),
                    observation_lists.get(bases_by_id[pair.upstream], ()),
                )
        self._measured_pairs, self._lags = pairs, lags


def _name_bases(pairs: Sequence[_Pair]) -> dict[int, Base]:
    """Gives each base a name that tells it apart: which base it is matters to nobody here."""
    return {number: Base("", str(number), "") for pair in pairs for number in (pair.copy, pair.upstream)}


async def _pairs(connection: AsyncConnection) -> list[_Pair]:
    newest = select(func.max(observations.c.id))
    rows = await connection.execute(
        select(
            *(bases.c.id, bases.c.upstream_id, bases.c.registry, bases.c.repository, bases.c.tag),
            *(upstreams.c.registry.label("up_registry"), upstreams.c.repository.label("up_repository")),
            newest.where(observations.c.base_id == bases.c.id).scalar_subquery().label("last"),
            newest.where(observations.c.base_id == bases.c.upstream_id).scalar_subquery().label("up_last"),
        )
        .join(upstreams, upstreams.c.id == bases.c.upstream_id)
        .where(bases.c.used.is_(True))
        .order_by(bases.c.id)
    )
    return [
        _Pair(
            row.id,
            row.upstream_id,
            mirror_prefix(base_of(row), Base(row.up_registry, row.up_repository, row.tag)),
            (row.last, row.up_last),
        )
        for row in rows
    ]


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


class MeasuredStore(Store):
    """A store that tells of promises and mirrors too; what one of them has read of these serves all."""

    @classmethod
    def opened(cls, stores: Stores) -> Self:
        return cls(*stores.given, stores[PromisesStore], stores[MirrorLagsStore])

    def __init__(
        self,
        database: Database,
        worker: Worker,
        clock: Clock,
        promises: PromisesStore,
        mirror_lags: MirrorLagsStore,
    ) -> None:
        super().__init__(database, worker, clock)
        self._promises = promises
        self._mirror_lags = mirror_lags
