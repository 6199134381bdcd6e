"""Changes of bases, read by their ids."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.change import Change
from bot.store.engine.codec import load, readable
from bot.store.engine.writing import chunks
from bot.store.rows.bases.tables import changes


async def changes_by_id(connection: AsyncConnection, ids: Collection[int]) -> dict[int, Change]:
    """Reads the changes of these ids, as far as they are kept and can be read."""
    changes_read: dict[int, Change] = {}
    for chunk in chunks(sorted(ids)):
        rows = await connection.execute(select(changes.c.id, changes.c.change).where(changes.c.id.in_(chunk)))
        changes_read |= readable(
            rows, lambda row: (row.id, load(row.change, Change)), lambda row: f"change {row.id}"
        )
    return changes_read


async def rollouts_by_change(connection: AsyncConnection, ids: Collection[int]) -> dict[int, int]:
    """Reads which rollouts have taken up these changes."""
    rollout_of: dict[int, int] = {}
    for chunk in chunks(sorted(ids)):
        rows = await connection.execute(
            select(changes.c.id, changes.c.rollout_id).where(
                changes.c.id.in_(chunk), changes.c.rollout_id.is_not(None)
            )
        )
        rollout_of |= {row.id: row.rollout_id for row in rows}
    return rollout_of
