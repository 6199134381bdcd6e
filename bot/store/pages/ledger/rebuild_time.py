"""How long rebuilds took, from the move of their bases to a new image: known as long as they are kept."""

from statistics import median_low

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.packages.ledger.entries import StationTime
from bot.domain.rollouts.rebuild import RebuildState
from bot.store.rows.bases.tables import changes
from bot.store.rows.rollouts.tables import rebuilds

_MOST = 1_000
_PROVEN = (RebuildState.STEPPING.value, RebuildState.SUCCEEDED.value)


async def read_rebuild_time(connection: AsyncConnection) -> StationTime | None:
    """In the middle of the latest rebuilds whose image was seen on the new base; None where there are none.

    It begins with the first move that has set off their rollout.
    """
    built = (
        select(rebuilds.c.rollout_id, rebuilds.c.built_at)
        .where(rebuilds.c.state.in_(_PROVEN), rebuilds.c.built_at.is_not(None))
        .order_by(rebuilds.c.id.desc())
        .limit(_MOST)
        .subquery()
    )
    moved = (
        select(changes.c.rollout_id, func.min(changes.c.at).label("at"))
        .where(changes.c.rollout_id.in_(select(built.c.rollout_id)))
        .group_by(changes.c.rollout_id)
        .subquery()
    )
    rows = await connection.execute(
        select(built.c.built_at, moved.c.at).join(moved, moved.c.rollout_id == built.c.rollout_id)
    )
    lengths = [row.built_at - row.at for row in rows if row.built_at >= row.at]
    return StationTime(len(lengths), median_low(lengths), of_rebuilds=True) if lengths else None
