"""Since when bases show what is free of a CVE, and what images show again that was known before they did.

The same image may be shown by several bases, such as a copy of another, and by one of them twice: each has it since
a time of its own.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.reference import Base
from bot.store.engine.among import is_among
from bot.store.engine.writing import chunks
from bot.store.pages.ledger.histories import Histories
from bot.store.rows.bases.bases import has_name_among
from bot.store.rows.bases.tables import base_of, bases, observations
from bot.store.rows.inventories.inventories import MOST_BEFORE, inventories, observed_inventories, shown_again


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


_OF_IMAGES = select(shown_again).where(is_among(shown_again.c.image_id, "images")).order_by(shown_again.c.id.desc())

Again = Mapping[tuple[int, str], Sequence[Any]]
"""The rows of `shown_again` by image and platform, the latest first."""


async def read_shown_again(connection: AsyncConnection, image_ids: Collection[int]) -> Again:
    """Reads what these images have shown again."""
    again: dict[tuple[int, str], list[Any]] = {}
    for row in await connection.execute(_OF_IMAGES, {"images": image_ids}):
        again.setdefault((row.image_id, row.platform), []).append(row)
    return again


def as_shown(
    histories: Histories, image: int, platforms: Collection[tuple[str, int]], again: Again
) -> list[tuple[str, int]]:
    """The platforms of an image, each with the number in `histories` of what it shows: one of its own where that
    came there in another way than its row tells."""
    return [
        (platform, _as_shown(histories, inventory, again.get((image, platform), ())))
        for platform, inventory in platforms
    ]


def _as_shown(histories: Histories, inventory: int, rows: Sequence[Any]) -> int:
    if not rows:
        return inventory
    number: int | None = inventory
    until: datetime | None = None
    steps: list[tuple[int, Any]] = []
    for _ in range(MOST_BEFORE):
        if number is None or number not in histories.known:
            break
        row = next((each for each in rows if each.inventory_id == number and _is_before(each, until)), None)
        steps.append((number, row))
        known_inventory = histories.known[number]
        until = known_inventory.seen_at if row is None else row.since
        number = known_inventory.previous if row is None or row.previous_id is None else row.previous_id
    following = number
    for number, row in reversed(steps):
        known_inventory = histories.known[number]
        if row is None and known_inventory.previous == following:
            following = number
            continue
        seen_at = known_inventory.seen_at if row is None else row.since
        is_begun = row is None or row.previous_id is not None
        following = histories.added(
            replace(known_inventory, previous=following, seen_at=seen_at, is_begun=is_begun)
        )
    return inventory if following is None else following


def _is_before(row: Any, until: datetime | None) -> bool:
    return until is None or row.since < until
