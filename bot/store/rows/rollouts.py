"""Rollouts as rows."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.change import Change
from bot.domain.rollout import Rollout
from bot.store.engine.codec import load
from bot.store.engine.readable import readable
from bot.store.rows.rebuilds import read_rebuilds
from bot.store.rows.tables import changes, rebuilds, rollouts


async def rollout_of(connection: AsyncConnection, number: int) -> Rollout:
    """The rollout with all of its changes and rebuilds."""
    row = (await connection.execute(select(rollouts).where(rollouts.c.id == number))).mappings().one()
    moved = await connection.execute(
        select(changes.c.id, changes.c.change).where(changes.c.rollout_id == number).order_by(changes.c.id)
    )
    found = await read_rebuilds(connection, rebuilds.c.rollout_id == number)
    return Rollout(
        number,
        row["opened_at"],
        tuple(readable(moved, lambda row: load(row.change, Change), lambda row: f"change {row.id}")),
        tuple(found),
        row["ended_at"],
    )
