"""Since when bases show what is free of a CVE, by their own observations.

The same image may be shown by several bases, such as a copy of another, and by one of them twice: each has it since
a time of its own.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.reference import Base
from bot.store.engine.inserting import chunks
from bot.store.pages.ledger.histories import Histories
from bot.store.rows.bases.bases import has_name_among
from bot.store.rows.bases.tables import base_of, bases, observations
from bot.store.rows.inventories.inventories import inventories, observed_inventories


@dataclass(frozen=True, slots=True)
class _Observed:
    """What a base showed at one time; `inventories` by platform, those of which all was read with True."""

    at: datetime
    inventories: dict[str, tuple[int, bool]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ShownSince:
    """What bases have shown, the latest first."""

    observed: Mapping[Base, Collection[_Observed]] = field(default_factory=dict)

    def free_since(self, histories: Histories, base: Base, platform: str, cve: str) -> datetime | None:
        """When the first was seen after the last that had the CVE; None where none had, or one between is not
        known."""
        since = None
        for observation in self.observed.get(base, ()):
            number, is_whole = observation.inventories.get(platform, (None, False))
            if number is not None and histories.exposed.get(number, {}).get(cve):
                return since
            if not is_whole:
                return None
            since = observation.at
        return None


async def read_shown_since(connection: AsyncConnection, followed_bases: Collection[Base]) -> ShownSince:
    observed_bases: dict[Base, dict[int, _Observed]] = {}
    for part in chunks(sorted(followed_bases)):
        rows = await connection.execute(
            select(
                *(bases.c.registry, bases.c.repository, bases.c.tag, observations.c.id, observations.c.at),
                *(observed_inventories.c.platform, observed_inventories.c.inventory_id, inventories.c.is_complete),
            )
            .join(observations, and_(observations.c.base_id == bases.c.id, observations.c.digest.is_not(None)))
            .outerjoin(observed_inventories, observed_inventories.c.observation_id == observations.c.id)
            .outerjoin(inventories, inventories.c.id == observed_inventories.c.inventory_id)
            .where(has_name_among(part))
            .order_by(observations.c.id.desc())
        )
        for row in rows.all():
            of_base = observed_bases.setdefault(base_of(row), {})
            observed = of_base.setdefault(row.id, _Observed(row.at))
            if row.platform is not None:
                observed.inventories[row.platform] = row.inventory_id, bool(row.is_complete)
    return ShownSince({base: tuple(of_base.values()) for base, of_base in observed_bases.items()})
