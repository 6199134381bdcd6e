"""Rows that a stage keeps of images, one for each: what the gate says of them among these."""

from datetime import datetime

from sqlalchemy import JSON, Column, ColumnElement, ForeignKey, Integer, Table, literal, select, update

from bot.store.engine.database import Database
from bot.store.engine.writing import chunks, insert_into, lock_where
from bot.store.rows.images.images import images
from bot.store.rows.inventories.inventories import inventories
from bot.store.rows.schema import DueTable, LongText, Noted, ShortText, falls_due, leased, locked_after, metadata


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


gates = leased(
    "gates",
    Column("image_id", ForeignKey(images.c.id, ondelete="CASCADE"), nullable=False, unique=True),
    Column("digest", ShortText(160)),
    Column("mode", ShortText(16)),
    Column("outcome", ShortText(16)),
    Column("told", LongText),
    Column("blocking", Integer, nullable=False, server_default="0"),
    Column("unfixed", Integer, nullable=False, server_default="0"),
    Column("gated", JSON),
    Column("owed", JSON),
    Column("mark", ShortText(64)),
    Column("judged_at", Noted),
    Column("error", LongText),
)
"""`digest` is what was judged, by the settings that `mark` stands for; `outcome` is None where nothing is asked of
it. `blocking` and `unfixed` count what `gated` names the first of. `owed` are vulnerabilities of what was let
through last that somebody's word alone let through."""
falls_due(gates, DueTable("gates", is_regular=True))
locked_after(gates, "artifact_reads")

let_through = Table(
    "let_through",
    metadata,
    Column("image_id", ForeignKey(images.c.id, ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("platform", ShortText(100), primary_key=True),
    Column("digest", ShortText(160), nullable=False),
    Column("inventory_id", ForeignKey(inventories.c.id, ondelete="CASCADE"), nullable=False, index=True),
)
"""The image that the gate let through last, platform by platform; `digest` is that of its index."""
locked_after(let_through, "gates")
