"""What was seen of bases, and how they have changed."""

from datetime import datetime
from typing import Any, Self

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.change import Change
from bot.domain.bases.observation import Observation
from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.domain.packages.changes import PlatformChanges
from bot.domain.reference import Base
from bot.domain.wording.misfits import did_you_mean
from bot.store.engine.codec import load, readable
from bot.store.engine.database import Database
from bot.store.engine.queue.claiming import Worker
from bot.store.engine.store import Store
from bot.store.pages.ledger.cves_of_moves import CvesOfMoves
from bot.store.rows.bases.observations import latest_observations, loaded
from bot.store.rows.bases.tables import base_of, bases, changes
from bot.store.rows.inventories.packages import package_changes_of
from bot.store.stores import Stores
from bot.upstream.dotnet.tag_family import sibling_of

_MOST_OBSERVATIONS = 500
"""Of one base: years of a tag that moves often."""


class BaseViewsStore(Store):
    """Reads what commands show of bases, and writes nothing."""

    @classmethod
    def opened(cls, stores: Stores) -> Self:
        return cls(*stores.given, stores[CvesOfMoves])

    def __init__(self, database: Database, worker: Worker, clock: Clock, cves: CvesOfMoves) -> None:
        super().__init__(database, worker, clock)
        self._cves = cves

    async def changes_of(self, base: str) -> list[tuple[Change, tuple[PlatformChanges, ...]]]:
        """Reads all changes of the bases that are called `base`, oldest first, each with its
        packages, and the CVEs that it fixed or left open."""
        async with self._database.reading() as connection:
            known_bases = await _known_bases(connection)
            ids = [id_ for candidate, id_ in known_bases.items() if candidate.is_called(base)]
            query = select(changes.c.id, changes.c.change).where(changes.c.base_id.in_(ids))
            read = await read_changes(connection, query.order_by(changes.c.at, changes.c.id), self._cves)
        return [(change, packages) for _, change, packages in read]

    async def observations_of(self, base: str) -> dict[Base, list[Observation]]:
        """The latest observations, oldest first, of the bases that are called `base`, and of the bases
        that these are cut from. Raises `Failure` where there is no such base."""
        async with self._database.reading() as connection:
            known_bases = await _known_bases(connection)
            named_bases = {candidate for candidate in known_bases if candidate.is_called(base)}
            if not named_bases:
                otherwise = "write it as `freshness-bot status` shows it, such as aspnet:10.0"
                advice = did_you_mean(base, (candidate.short for candidate in known_bases), otherwise)
                raise Failure(Trouble.MISSING, f"no base {base!r} is known", advice=advice)
            above = {sibling for candidate in named_bases if (sibling := sibling_of(candidate)) in known_bases}
            ids = {known_bases[candidate]: candidate for candidate in named_bases | above}
            rows_of = await latest_observations(connection, sorted(ids), _MOST_OBSERVATIONS)
        return loaded(ids, rows_of)

    async def changes_since(self, moment: datetime) -> list[Change]:
        """Reads how bases have changed from `moment` on, as far as they were seen to, oldest first."""
        async with self._database.reading() as connection:
            query = select(changes.c.id, changes.c.change).where(changes.c.at >= moment)
            rows = await connection.execute(query.order_by(changes.c.at, changes.c.id))
            return readable(rows, lambda row: load(row.change, Change), lambda row: f"change {row.id}")

    async def watched(self) -> frozenset[Base]:
        """Reads which bases are looked at, since something stands on them."""
        async with self._database.reading() as connection:
            return frozenset(await _known_bases(connection, bases.c.used.is_(True)))


async def read_changes(
    connection: AsyncConnection, query: Select[Any], cves: CvesOfMoves | None
) -> list[tuple[Any, Change, tuple[PlatformChanges, ...]]]:
    """Reads the changes that `query` selects with their ids, each with its row and its packages; with `cves` these
    tell which it fixed, and which are still open."""
    rows = (await connection.execute(query)).all()
    packages = await package_changes_of(connection, [row.id for row in rows])
    if cves is not None:
        packages = await cves.beside(connection, packages)
    return readable(
        rows,
        lambda row: (row, load(row.change, Change), packages.get(row.id, ())),
        lambda row: f"change {row.id}",
    )


async def _known_bases(connection: AsyncConnection, *conditions: ColumnElement[bool]) -> dict[Base, int]:
    query = select(bases.c.id, bases.c.registry, bases.c.repository, bases.c.tag).where(*conditions)
    rows = await connection.execute(query)
    return {base_of(row): row.id for row in rows}
