"""A store without room: SQLite refuses to grow its file as on a full disk, with the same error."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import event, text

from bot.store.engine.database import Database

_ALL = 4_294_967_294


@asynccontextmanager
async def without_room(database: Database) -> AsyncIterator[None]:
    """While the body goes on, the file of an SQLite database grows no more; what fits into it still does."""
    most = _ALL

    def limit(connection: Any, *_: Any) -> None:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA max_page_count={most}")
        cursor.close()

    event.listen(database.engine.sync_engine.pool, "checkout", limit)
    async with database.transaction() as connection:
        most = int(await connection.scalar(text("SELECT page_count FROM pragma_page_count")) or 0)
    try:
        yield
    finally:
        most = _ALL
