"""Sessions that were ended: all replicas know of them, and none is kept for longer than it would have gone on."""

from datetime import datetime

from sqlalchemy import delete, select

from bot.store.engine.store import Store
from bot.store.engine.writing import insert_missing
from bot.store.rows.tables import ended_sessions


class SessionsStore(Store):
    """A session is told by a digest, which lets nobody in."""

    async def end(self, session: str, until: datetime) -> None:
        """Ends it for everybody; `until` is when it would have ended by itself at the latest."""
        async with self._database.transaction() as connection:
            await connection.execute(insert_missing(connection, ended_sessions, session=session, until=until))
            await connection.execute(delete(ended_sessions).where(ended_sessions.c.until < self._clock.now()))

    async def has_ended(self, session: str) -> bool:
        ended = select(ended_sessions.c.session).where(ended_sessions.c.session == session)
        async with self._database.reading() as connection:
            return await connection.scalar(ended) is not None
