"""Rebuilds that have ended: how long they are kept, with their steps and the way that they took."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.rollouts.rebuild import ENDED
from bot.store.engine.locking import lock
from bot.store.rows.bases.tables import changes
from bot.store.rows.forgetting import delete_rows, forgets
from bot.store.rows.rollouts.served import last_changes
from bot.store.rows.rollouts.steps import steps
from bot.store.rows.rollouts.tables import rebuilds, transitions


@forgets(
    rebuilds,
    "those that have ended, with their steps and transitions, but for those of a base's last change",
    after=None,
)
async def forget_rebuilds(connection: AsyncConnection, before: datetime) -> dict[str, int]:
    old = await _ended_rebuilds(connection, before)
    await lock(connection, rebuilds, old)
    await delete_rows(connection, steps, "rebuild_id", old)
    moves = await delete_rows(connection, transitions, "rebuild_id", old)
    return {"rebuilds": await delete_rows(connection, rebuilds, "id", old), "transitions": moves}


async def _ended_rebuilds(connection: AsyncConnection, before: datetime) -> list[int]:
    """Those whose rollout carries no base's last change.

    A repository that joins the fleet, or falls behind, is still served by such a change, and its rebuilds tell who
    has been.
    """
    needed = select(changes.c.rollout_id).where(changes.c.id.in_(last_changes()), changes.c.rollout_id.is_not(None))
    found = await connection.execute(
        select(rebuilds.c.id).where(
            rebuilds.c.state.in_(ENDED), rebuilds.c.ended_at < before, rebuilds.c.rollout_id.not_in(needed)
        )
    )
    return list(found.scalars())
