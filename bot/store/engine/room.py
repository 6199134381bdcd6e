"""Whether the database has room, asked by who writes nothing: a command that only reads, beside the service.

The service knows from its own last write (`Database.no_room`), which no other process can see, and a store without
room cannot keep it.
"""

import asyncio

from sqlalchemy import text

from bot.store.engine.database import Database
from bot.store.engine.failures import NoRoom, StoreFailure, no_room_on_disk

_ROWS = 80_000
"""Numbers that take a megabyte on PostgreSQL's disk, where its memory has no place for them."""


async def lack_of_room(database: Database) -> NoRoom | None:
    """What there is to be told where the disk has less than a megabyte left; None where it has more, or where that
    cannot be asked. Nothing is written to the database, and no writer is held up."""
    if database.engine.dialect.name == "sqlite":
        return await asyncio.to_thread(no_room_on_disk, database.engine.url)
    try:
        await _put_aside(database)
    except NoRoom as failure:
        return failure
    except StoreFailure:
        return None
    return None


async def _put_aside(database: Database) -> None:
    """Has PostgreSQL put what its memory does not take into a temporary file, on the disk of the database; that is
    gone with the transaction, which only reads."""
    async with database.reading() as connection:
        await connection.execute(text("SET LOCAL work_mem = '64kB'"))
        await connection.scalar(text("SELECT count(*) FROM generate_series(1, :rows)"), {"rows": _ROWS})
