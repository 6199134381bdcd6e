"""What the gate says of images, as rows that fall due, and what it let through last. Their tables."""

from sqlalchemy import JSON, Column, ForeignKey, Integer, Table

from bot.store.rows.images.images import images
from bot.store.rows.inventories.inventories import inventories
from bot.store.rows.moment import Noted
from bot.store.rows.schema import DueTable, falls_due, leased, locked_after, metadata
from bot.store.rows.texts import LongText, ShortText

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
