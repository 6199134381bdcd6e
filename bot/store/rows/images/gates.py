"""What the gate says of images, as rows that fall due, and what it let through last. Their tables."""

from sqlalchemy import JSON, Column, ForeignKey, Integer, String, Table, Text

from bot.store.rows.images.images import images
from bot.store.rows.inventories.inventories import inventories
from bot.store.rows.moment import Moment
from bot.store.rows.schema import leased, metadata

gates = leased(
    "gates",
    Column("image_id", ForeignKey(images.c.id, ondelete="CASCADE"), nullable=False, unique=True),
    Column("digest", String(160)),
    Column("mode", String(16)),
    Column("outcome", String(16)),
    Column("told", Text),
    Column("blocking", Integer, nullable=False, server_default="0"),
    Column("unfixed", Integer, nullable=False, server_default="0"),
    Column("gated", JSON),
    Column("owed", JSON),
    Column("mark", String(64)),
    Column("judged_at", Moment),
    Column("error", Text),
)
"""`digest` is what was judged, by the settings that `mark` stands for; `outcome` is None where nothing is asked of
it. `blocking` and `unfixed` count what `gated` names the first of. `owed` are vulnerabilities of what was let
through last that somebody's word alone let through."""

let_through = Table(
    "let_through",
    metadata,
    Column("image_id", ForeignKey(images.c.id, ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("platform", String(100), primary_key=True),
    Column("digest", String(160), nullable=False),
    Column("inventory_id", ForeignKey(inventories.c.id, ondelete="CASCADE"), nullable=False, index=True),
)
"""The image that the gate let through last, platform by platform; `digest` is that of its index."""
