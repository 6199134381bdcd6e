"""Whether the store answers, for whoever asks if the bot is ready."""

from sqlalchemy import func, select

from bot.store.engine.store import Store
from bot.store.rows.rollouts.tables import transitions


class AnsweringStore(Store):
    """Asks the least that shows that tables can be read."""

    async def answer(self) -> None:
        """Raises `Failure` where the store does not answer."""
        async with self._database.reading() as connection:
            await connection.scalar(select(func.max(transitions.c.id)))
