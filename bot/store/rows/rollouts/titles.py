"""What a rollout is about, in one line."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.rollouts.rollout import Occasion
from bot.domain.wording.headline import headline
from bot.store.rows.rollouts.rollouts import changes_by_rollout
from bot.store.rows.rollouts.tables import rollouts


async def title_of(connection: AsyncConnection, rollout: int) -> str:
    """From the changes that set it off; where none did, from what it is for."""
    return (await titles_of(connection, [rollout]))[rollout]


async def titles_of(connection: AsyncConnection, numbers: Collection[int]) -> dict[int, str]:
    """The titles of rollouts by their ids, in as many statements as that of one."""
    occasions = await connection.execute(
        select(rollouts.c.id, rollouts.c.occasion).where(rollouts.c.id.in_(numbers))
    )
    changes_by_number = await changes_by_rollout(connection, numbers)
    return {row.id: headline(changes_by_number.get(row.id, ()), Occasion(row.occasion)) for row in occasions}
