"""How long mirrors took to show what upstream had published: measured anew for what has moved since, and kept in
memory."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.mirrors import mirror_prefix, took
from bot.domain.bases.observation import Observation
from bot.domain.clock import Clock
from bot.domain.reference import Base
from bot.store.engine.database import Database
from bot.store.engine.queue.claiming import Worker
from bot.store.engine.store import Store
from bot.store.rows.bases.mirrors import upstreams
from bot.store.rows.bases.observations import histories, loaded
from bot.store.rows.bases.tables import bases, observations
from bot.views.bases.mirrors import Took, took_of

_LATELY = timedelta(days=365)
_AT_ONCE = 20
"""So many mirrors' bases are in memory together, each with its upstream."""

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
        self._known: dict[int, _Pair] = {}
        self._measuring = asyncio.Lock()

    async def took(self) -> dict[str, Took]:
        """By mirror, how long its bases in use took in the last year, by all that was seen of them or given of the
        past."""
        async with self._measuring:
            await self._measure()
            since = self._clock.now() - _LATELY
            found: dict[str, list[timedelta]] = {}
            for number, pair in self._known.items():
                found.setdefault(pair.place, []).extend(lag for at, lag in self._lags[number] if at >= since)
        told = {place: took_of(lags) for place, lags in sorted(found.items())}
        return {place: each for place, each in told.items() if each is not None}

    async def _measure(self) -> None:
        async with self._database.reading() as connection:
            pairs = {pair.copy: pair for pair in await _pairs(connection)}
        moved = [pair for pair in pairs.values() if self._known.get(pair.copy) != pair]
        lags = {number: some for number, some in self._lags.items() if number in pairs}
        for start in range(0, len(moved), _AT_ONCE):
            some = moved[start : start + _AT_ONCE]
            numbers = sorted({number for pair in some for number in (pair.copy, pair.upstream)})
            async with self._database.reading() as connection:
                rows = await histories(connection, numbers)
            # Which base it is matters to nobody here, only that each is told apart.
            named = {number: Base("", str(number), "") for number in numbers}
            shown = await asyncio.to_thread(loaded, named, rows)
            for pair in some:
                lags[pair.copy] = _took(pair, named, shown)
        self._known, self._lags = pairs, lags


def _took(pair: _Pair, named: Mapping[int, Base], shown: Mapping[Base, Sequence[Observation]]) -> _Lags:
    copies, published = (shown.get(named[number], ()) for number in (pair.copy, pair.upstream))
    return took(copies, published)


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
            mirror_prefix(
                Base(row.registry, row.repository, row.tag), Base(row.up_registry, row.up_repository, row.tag)
            ),
            (row.last, row.up_last),
        )
        for row in rows
    ]
