"""Layers, what is inside the images that they make, and what is to be read of both: their tables."""

from collections.abc import Collection
from functools import cache
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Select,
    Table,
    UniqueConstraint,
    and_,
    case,
    exists,
    select,
    text,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.packages.package import Package
from bot.store.engine.writing import chunks
from bot.store.rows.schema import (
    DueTable,
    Id,
    LongText,
    Moment,
    ShortText,
    falls_due,
    key_column,
    lease_columns,
    locked_after,
    metadata,
)


def undone_columns(table: str, column: str) -> list[Any]:
    """Makes the columns of what is due until `column` says that it is done.

    What is done is most of the table, and is not looked through.
    """
    undone = text(f"{column} IS NULL")
    return [*lease_columns(), Index(f"ix_{table}_undone", "due_at", sqlite_where=undone, postgresql_where=undone)]


layers = Table(
    "layers",
    metadata,
    key_column(),
    Column("digest", ShortText(160), nullable=False, unique=True),
    Column("registry", ShortText(255), nullable=False),
    Column("repository", ShortText(255), nullable=False),
    Column("named_diff_id", ShortText(160)),
    Column("diff_id", ShortText(160), index=True),
    Column("problem", LongText),
    Column("read_at", Moment),
    Column("edition", Integer, nullable=False, server_default="0"),
    Column("error", LongText),
    *undone_columns("layers", "read_at"),
)
"""`named_diff_id` is what an image says that it unpacks to, `diff_id` what it was seen to unpack to. `problem` says
why a layer that was read tells nothing, `edition` by which edition of the reader it was read."""
falls_due(layers, DueTable())
"""Settings name the platforms whose layers are read: no figure tells of the others."""
locked_after(layers, "images", "layer_contents")
layer_contents = Table(
    "layer_contents",
    metadata,
    Column("layer_id", ForeignKey("layers.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
)
"""Apart from the layers, so that looking through those reads none of it."""
inventories = Table(
    "inventories",
    metadata,
    key_column(),
    Column("digest", ShortText(160), nullable=False, unique=True),
    Column("config_digest", ShortText(160), index=True),
    Column("platform", ShortText(100), nullable=False),
    Column("previous_id", Id),
    Column("seen_at", Moment, nullable=False),
    Column("read_at", Moment),
    Column("distribution", JSON),
    Column("problems", JSON),
    Column("is_complete", Boolean),
    Column("error", LongText),
    *undone_columns("inventories", "read_at"),
    Index(
        "ix_inventories_incomplete",
        "id",
        sqlite_where=text("is_complete IS NOT 1"),
        postgresql_where=text("is_complete IS NOT true"),
    ),
)
"""What is inside one platform's image, by the digest of its manifest; `config_digest` is how engines name it, and
`previous_id` that of the image under the
same tag before, as far as it was seen."""
falls_due(inventories, DueTable())
"""As of layers."""
locked_after(inventories, "layers")
MOST_BEFORE = 100
"""So many images under one tag are looked back at."""
inventory_layers = Table(
    "inventory_layers",
    metadata,
    Column("inventory_id", ForeignKey("inventories.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("layer_id", ForeignKey("layers.id"), nullable=False, index=True),
)
"""The bottom layer is at 0."""
packages = Table(
    "packages",
    metadata,
    key_column(),
    Column("key", ShortText(64), nullable=False, unique=True),
    Column("type", ShortText(256), nullable=False),
    Column("name", ShortText(256), nullable=False, index=True),
    Column("version", ShortText(256), nullable=False),
    Column("architecture", ShortText(256)),
    Column("source", ShortText(256), index=True),
    Column("source_version", ShortText(256)),
)
"""Each once, however many images have it; `key` is a hash of all else, which would be too long for an index."""
locked_after(packages, "counters (of exposures)", "later_indexes")
inventory_packages = Table(
    "inventory_packages",
    metadata,
    Column("inventory_id", ForeignKey("inventories.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("package_id", ForeignKey("packages.id"), primary_key=True, autoincrement=False),
    Column("since", Moment, nullable=False),
    Index(None, "package_id"),
    sqlite_with_rowid=False,
)
"""`since` is when the package was first seen there, in this version and without a break."""
observed_inventories = Table(
    "observed_inventories",
    metadata,
    Column(
        "observation_id", ForeignKey("observations.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    ),
    Column("platform", ShortText(100), primary_key=True),
    Column("inventory_id", ForeignKey("inventories.id", ondelete="CASCADE"), nullable=False, index=True),
)
image_inventories = Table(
    "image_inventories",
    metadata,
    Column("image_id", ForeignKey("images.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("platform", ShortText(100), primary_key=True),
    Column("inventory_id", ForeignKey("inventories.id", ondelete="CASCADE"), nullable=False, index=True),
)
locked_after(image_inventories, "inventory_layers")
shown_again = Table(
    "shown_again",
    metadata,
    key_column(),
    Column("image_id", ForeignKey("images.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("platform", ShortText(100), nullable=False),
    Column("inventory_id", ForeignKey("inventories.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("previous_id", Id, index=True),
    Column("since", Moment, nullable=False),
)
"""What an image began to show after it was seen elsewhere, or under the same tag before that went back: the row of
the inventory tells neither since when, nor what this image showed until then."""
locked_after(shown_again, "later_indexes")
package_changes = Table(
    "package_changes",
    metadata,
    key_column(),
    Column("observation_id", ForeignKey("observations.id", ondelete="CASCADE"), nullable=False),
    Column("platform", ShortText(100), nullable=False),
    Column("before_id", Id, nullable=False),
    Column("after_id", Id, nullable=False),
    Column("compared_at", Moment),
    Column("changes", JSON),
    Column("is_complete", Boolean),
    Column("error", LongText),
    *undone_columns("package_changes", "compared_at"),
    UniqueConstraint("observation_id", "platform"),
)
"""How an observation of a base differs from the one before it; the inventories that were compared may be gone."""


def _is_told(inventory: ColumnElement[int]) -> ColumnElement[bool]:
    return exists().where(inventories.c.id == inventory).where(inventories.c.read_at.is_not(None))


ARE_BOTH_TOLD = (_is_told(package_changes.c.before_id), _is_told(package_changes.c.after_id))
"""Both inventories that are to be compared were read."""
falls_due(package_changes, DueTable("package-changes", (package_changes.c.compared_at.is_(None), *ARE_BOTH_TOLD)))
locked_after(package_changes, "dumps")


def shown_last() -> ColumnElement[Any]:
    """The inventory of what an image showed on a platform right before what it shows now, None where that is not
    known: of a row of `image_inventories`, and of `inventories` for that."""
    last = last_again(*(image_inventories.c[name] for name in ("image_id", "platform", "inventory_id")))
    return case((exists(last), last.scalar_subquery()), else_=inventories.c.previous_id)


def last_again(
    image: ColumnElement[int], platform: ColumnElement[str], inventory: ColumnElement[int]
) -> Select[tuple[int]]:
    """What the image showed on that platform before it began to show the inventory again last."""
    again = shown_again.alias("last_again")
    is_same = (again.c.image_id == image, again.c.platform == platform, again.c.inventory_id == inventory)
    return select(again.c.previous_id).where(*is_same).order_by(again.c.id.desc()).limit(1)


@cache
def shown_before() -> Select[tuple[int]]:
    """The inventories of what images of the fleet, or others under the same tag, showed right before what images
    show now, as far as it was read."""
    now, before = inventories.alias("shown"), inventories.alias("shown_before")
    link = image_inventories
    is_same = (shown_again.c[name] == link.c[name] for name in ("image_id", "platform", "inventory_id"))
    previous_ids = (
        select(now.c.previous_id).join(link, link.c.inventory_id == now.c.id),
        select(shown_again.c.previous_id).join(link, and_(*is_same)),
    )
    return select(before.c.id).where(before.c.id.in_(union_all(*previous_ids)), before.c.read_at.is_not(None))


def package_of(row: Any) -> Package:
    """Loads the package in a row of `packages`."""
    return Package(row.type, row.name, row.version, row.architecture, row.source, row.source_version)


async def packages_by_id(
    connection: AsyncConnection, numbers: Collection[int], *conditions: ColumnElement[bool]
) -> dict[int, Package]:
    """Reads packages by the ids of their rows; with conditions, only those that fulfil them."""
    packages_of: dict[int, Package] = {}
    for ids in chunks(sorted(numbers)):
        rows = await connection.execute(select(packages).where(packages.c.id.in_(ids), *conditions))
        packages_of |= {row.id: package_of(row) for row in rows}
    return packages_of


sbom_looks = Table(
    "sbom_looks",
    metadata,
    key_column(),
    Column("inventory_id", ForeignKey("inventories.id", ondelete="CASCADE"), nullable=False, unique=True),
    Column("registry", ShortText(255), nullable=False),
    Column("repository", ShortText(255), nullable=False),
    Column("index_digest", ShortText(160), nullable=False, index=True),
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
