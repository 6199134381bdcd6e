"""How long mirrors took to show what upstream had published: measured anew for what has moved since, and kept in
memory."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.mirrors import mirror_prefix, tells_by_digests, took
from bot.domain.clock import Clock
from bot.domain.reference import Base
from bot.store.engine.database import Database
from bot.store.engine.inserting import chunks
from bot.store.engine.queue.claiming import Worker
from bot.store.engine.store import Store
from bot.store.rows.bases.mirrors import upstreams
from bot.store.rows.bases.observations import digests_shown, histories, loaded
from bot.store.rows.bases.tables import base_of, bases, observations
from bot.views.bases.mirrors import Took, took_of

_LATELY = timedelta(days=365)
_AT_ONCE = 20
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
        for part in chunks(sorted(pushed_anew, key=lambda pair: pair.upstream), _AT_ONCE):
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
