"""Rows that a stage keeps of images, one for each, made and made due as images are seen."""

from datetime import datetime

from sqlalchemy import ColumnElement, Table, literal, select, update

from bot.store.engine.database import Database
from bot.store.engine.inserting import chunks, insert_into
from bot.store.engine.locking import lock_where
from bot.store.rows.images.images import images


async def make_images_due(database: Database, table: Table, is_other: ColumnElement[bool], now: datetime) -> None:
    """Adds a row of `table` for each image with a digest that has none, and makes due at once those that wait and
    of which `is_other` holds.

    Looks first, so that a tick with nothing to do writes nothing. Two workers may do it at the same time.
    """
    missing = select(images.c.id, literal(now, table.c.due_at.type)).where(
        images.c.digest.is_not(None),
        ~select(table.c.id).where(table.c.image_id == images.c.id).exists(),
    )
    waits = table.c.due_at > now
    async with database.reading() as connection:
        nothing_new = (await connection.execute(missing.limit(1))).first() is None
        waiting = select(table.c.id).where(waits, is_other).limit(1)
        if nothing_new and (await connection.execute(waiting)).first() is None:
            return
    async with database.transaction() as connection:
        rows = insert_into(connection, table).from_select(["image_id", "due_at"], missing.order_by(images.c.id))
        await connection.execute(rows.on_conflict_do_nothing())
        locked_ids = await lock_where(connection, table, waits, is_other)
        for ids in chunks(locked_ids):
            await connection.execute(update(table).where(table.c.id.in_(ids)).values(due_at=now))
