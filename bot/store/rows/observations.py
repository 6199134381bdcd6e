"""The latest observations of many bases at once."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.observation import Observation
from bot.domain.reference import Base
from bot.store.engine.codec import load
from bot.store.engine.inserting import chunks
from bot.store.rows.tables import observations


async def latest_observations(
    connection: AsyncConnection, ids: Sequence[int], limit: int
) -> list[tuple[int, dict[str, Any]]]:
    """Up to `limit` observations of each base, oldest first, each with the base's id; see `loaded`."""
    rank = (
        func.row_number().over(partition_by=observations.c.base_id, order_by=observations.c.id.desc()).label("rank")
    )
    found: list[tuple[int, dict[str, Any]]] = []
    for chunk in chunks(ids):
        ranked = (
            select(observations.c.id, observations.c.base_id, observations.c.observation, rank)
            .where(observations.c.base_id.in_(chunk))
            .subquery()
        )
        rows = await connection.execute(select(ranked).where(ranked.c.rank <= limit).order_by(ranked.c.id))
        found += [(row.base_id, row.observation) for row in rows]
    return found


def loaded(named: Mapping[int, Base], rows: Iterable[tuple[int, dict[str, Any]]]) -> dict[Base, list[Observation]]:
    """The histories in such rows; apart from reading them, since it takes long and must hold no transaction."""
    found: dict[Base, list[Observation]] = {}
    for base, observation in rows:
        found.setdefault(named[base], []).append(load(observation, Observation))
    return found
