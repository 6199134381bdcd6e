"""What a rollout is about, in one line."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.rollouts.rollout import Occasion
from bot.report.messages.rollout import headline
from bot.store.rows.rollouts.rollouts import changes_of
from bot.store.rows.rollouts.tables import rollouts


async def title_of(connection: AsyncConnection, rollout: int) -> str:
    """From the changes that set it off; where none did, from what it is for."""
    kind = await connection.execute(select(rollouts.c.occasion).where(rollouts.c.id == rollout))
    return headline(await changes_of(connection, rollout), Occasion(kind.scalar_one()))
