"""What images show that was known before they did: each in the order in which that image showed it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.engine.among import is_among
from bot.store.pages.ledger.histories import Histories
from bot.store.rows.inventories.inventories import MOST_BEFORE, shown_again

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
