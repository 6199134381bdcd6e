"""SBOMs of the fleet's images: which registries are to be asked, and what the documents list. Their tables."""

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, Table

from bot.store.rows.columns import LongText, Moment, ShortText
from bot.store.rows.inventories.inventories import undone_columns
from bot.store.rows.schema import DueTable, falls_due, key_column, locked_after, metadata

sbom_looks = Table(
    "sbom_looks",
    metadata,
    key_column(),
    Column("inventory_id", ForeignKey("inventories.id", ondelete="CASCADE"), nullable=False, unique=True),
    Column("registry", ShortText(255), nullable=False),
    Column("repository", ShortText(255), nullable=False),
    Column("index_digest", ShortText(160), nullable=False),
    Column("is_last", Boolean, nullable=False, server_default="0"),
    Column("looked_at", Moment),
    Column("error", LongText),
    *undone_columns("sbom_looks", "looked_at"),
)
"""`index_digest` is what the image's tag showed first; `is_last` says that its registry was asked before, in
vain."""
falls_due(sbom_looks, DueTable())
"""Of platforms that settings name, as inventories are."""
locked_after(sbom_looks, "image_inventories")
later_indexes = Table(
    "later_indexes",
    metadata,
    Column("index_digest", ShortText(160), primary_key=True),
    Column(
        "inventory_id",
        ForeignKey("inventories.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
        index=True,
    ),
    Column("seen_at", Moment, nullable=False),
)
"""What tags have shown since with the same image of a platform in it, and when they began to, the last time."""
locked_after(later_indexes, "sbom_looks")
sboms = Table(
    "sboms",
    metadata,
    key_column(),
    Column("inventory_id", ForeignKey("inventories.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("document", ShortText(160), nullable=False),
    Column("origin", ShortText(40), nullable=False),
    Column("strength", ShortText(20), nullable=False),
    Column("told", LongText, nullable=False),
    Column("judged_by", ShortText(32)),
    Column("judged_until", Moment),
    Column("distribution", JSON),
    Column("problems", JSON, nullable=False),
    Column("at", Moment, nullable=False),
)
locked_after(sboms, "sbom_looks")
sbom_packages = Table(
    "sbom_packages",
    metadata,
    Column("sbom_id", ForeignKey("sboms.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("package_id", ForeignKey("packages.id"), primary_key=True, autoincrement=False),
    Index(None, "package_id"),
    sqlite_with_rowid=False,
)
