"""Pauses begin, and hold from the next write on."""

from datetime import datetime

from sqlalchemy import and_, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.rollouts.rebuild import AWAITING, Merging, RebuildState
from bot.store.engine.inserting import chunks
from bot.store.engine.locking import lock_where
from bot.store.rows.outbox import announce
from bot.store.rows.rollouts.rebuild_store import IS_OUTDATED
from bot.store.rows.rollouts.rebuilds import MERGES_STILL, merging_by_themselves, outdate
from bot.store.rows.rollouts.tables import pauses, rebuilds


async def open_pause(
    connection: AsyncConnection, rollout: int | None, who: str, reason: str, now: datetime, *, once: bool = False
) -> bool:
    """Whether this pauses what was not paused; it is told once, and in the rollout's own message. It holds from the
    next write on, also of what is being written, and for what merges by itself.

    With `once` nothing is done where the same was a reason to pause before.
    """
    which = pauses.c.rollout_id.is_(None) if rollout is None else pauses.c.rollout_id == rollout
    is_same = or_(pauses.c.until.is_(None), pauses.c.reason == reason) if once else pauses.c.until.is_(None)
    if (await connection.execute(select(pauses.c.id).where(is_same, which))).first() is not None:
        return False
    await _stop_under_way(connection, rollout, now)
    result = await connection.execute(
        insert(pauses).values(rollout_id=rollout, since=now, who=who, reason=reason).returning(pauses.c.id)
    )
    await announce(connection, f"pause:{result.scalar_one()}", now)
    if rollout is not None:
        await announce(connection, f"rollout:{rollout}", now)
    return True


async def _stop_under_way(connection: AsyncConnection, rollout: int | None, now: datetime) -> None:
    """Takes the lease away from the rebuilds that are being written, and has `act` look at what merges by itself.
    What else is written is held by no lease while it is paused.

    All that may be written is locked first, leased or not: what another replica would claim before the pause is
    stored would go on under it.
    """
    conditions = [] if rollout is None else [rebuilds.c.rollout_id == rollout]
    merges = or_(rebuilds.c.state == RebuildState.OPEN.value, MERGES_STILL)
    is_set = and_(merges, rebuilds.c.merging == Merging.SET.value)
    may_be_written = or_(rebuilds.c.state.in_(AWAITING), IS_OUTDATED, is_set)
    for ids in chunks(await lock_where(connection, rebuilds, may_be_written, *conditions)):
        is_leased = and_(rebuilds.c.id.in_(ids), rebuilds.c.lease_owner.is_not(None))
        await connection.execute(update(rebuilds).where(is_leased).values(lease_owner=None, lease_until=None))
    merging = await merging_by_themselves(connection, rebuilds.c.merging == Merging.SET.value, *conditions)
    await outdate(connection, merging, now)
