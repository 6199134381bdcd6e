"""Rebuilds on their way to their end: what `follow` reads and writes."""

from collections.abc import Iterable, Sequence

from sqlalchemy import not_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.rebuild import Rebuild, State
from bot.store.engine.queue import claim
from bot.store.rebuilds import IS_OUTDATED, RebuildStore
from bot.store.rows.rebuilds import rebuild_of
from bot.store.rows.tables import rebuilds, repositories


class FollowStore(RebuildStore):
    async def claim_rebuilds(self, states: Iterable[State], limit: int) -> list[Rebuild]:
        """Due rebuilds in one of `states`, now leased to this worker; those with outdated text are left to act."""
        wanted = [state.value for state in states]
        async with self._database.transaction() as connection:
            rows = await claim(
                connection,
                rebuilds,
                self._worker,
                self._clock.now(),
                limit=limit,
                where=[rebuilds.c.state.in_(wanted), not_(IS_OUTDATED)],
            )
            names = await _names(connection, [row["repository_id"] for row in rows])
        return [rebuild_of(row, names[row["repository_id"]]) for row in rows]


async def _names(connection: AsyncConnection, ids: Sequence[int]) -> dict[int, str]:
    rows = await connection.execute(
        select(repositories.c.id, repositories.c.name).where(repositories.c.id.in_(ids))
    )
    return {row.id: row.name for row in rows}
