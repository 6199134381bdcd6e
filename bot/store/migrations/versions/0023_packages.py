"""Layers, what is inside the images that they make, and how each move of a base changed it."""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql, sqlite

revision = "0023"
down_revision = "0022"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def _undone(column: str) -> dict[str, Any]:
    is_undone = sa.text(f"{column} IS NULL")
    return {"sqlite_where": is_undone, "postgresql_where": is_undone}


def upgrade() -> None:
    op.create_table(
        "inventories",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("digest", sa.String(length=160), nullable=False),
        sa.Column("platform", sa.String(length=100), nullable=False),
        sa.Column("previous_id", _ID, nullable=True),
        sa.Column("seen_at", _MOMENT, nullable=False),
        sa.Column("read_at", _MOMENT, nullable=True),
        sa.Column("distribution", sa.JSON(), nullable=True),
        sa.Column("problems", sa.JSON(), nullable=True),
        sa.Column("is_complete", sa.Boolean(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("due_at", _MOMENT, nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lease_owner", sa.String(length=64), nullable=True),
        sa.Column("lease_until", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inventories")),
        sa.UniqueConstraint("digest", name=op.f("uq_inventories_digest")),
    )
    op.create_index("ix_inventories_undone", "inventories", ["due_at"], unique=False, **_undone("read_at"))
    op.create_index(
        "ix_inventories_incomplete",
        "inventories",
        ["id"],
        unique=False,
        sqlite_where=sa.text("is_complete IS NOT 1"),
        postgresql_where=sa.text("is_complete IS NOT true"),
    )
    op.create_table(
        "layers",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("digest", sa.String(length=160), nullable=False),
        sa.Column("registry", sa.String(length=255), nullable=False),
        sa.Column("repository", sa.String(length=255), nullable=False),
        sa.Column("named_diff_id", sa.String(length=160), nullable=True),
        sa.Column("diff_id", sa.String(length=160), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("read_at", _MOMENT, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("due_at", _MOMENT, nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lease_owner", sa.String(length=64), nullable=True),
        sa.Column("lease_until", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_layers")),
        sa.UniqueConstraint("digest", name=op.f("uq_layers_digest")),
    )
    op.create_index(op.f("ix_layers_diff_id"), "layers", ["diff_id"], unique=False)
    op.create_index("ix_layers_undone", "layers", ["due_at"], unique=False, **_undone("read_at"))
    op.create_table(
        "packages",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("type", sa.String(length=256), nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("version", sa.String(length=256), nullable=False),
        sa.Column("architecture", sa.String(length=256), nullable=True),
        sa.Column("source", sa.String(length=256), nullable=True),
        sa.Column("source_version", sa.String(length=256), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_packages")),
        sa.UniqueConstraint("key", name=op.f("uq_packages_key")),
    )
    op.create_index(op.f("ix_packages_name"), "packages", ["name"], unique=False)
    op.create_index(op.f("ix_packages_source"), "packages", ["source"], unique=False)
    op.create_table(
        "inventory_layers",
        sa.Column("inventory_id", _ID, autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("layer_id", _ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["inventory_id"],
            ["inventories.id"],
            name=op.f("fk_inventory_layers_inventory_id_inventories"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["layer_id"], ["layers.id"], name=op.f("fk_inventory_layers_layer_id_layers")),
        sa.PrimaryKeyConstraint("inventory_id", "position", name=op.f("pk_inventory_layers")),
    )
    op.create_index(op.f("ix_inventory_layers_layer_id"), "inventory_layers", ["layer_id"], unique=False)
    op.create_table(
        "inventory_packages",
        sa.Column("inventory_id", _ID, autoincrement=False, nullable=False),
        sa.Column("package_id", _ID, autoincrement=False, nullable=False),
        sa.Column("since", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["inventory_id"],
            ["inventories.id"],
            name=op.f("fk_inventory_packages_inventory_id_inventories"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["package_id"], ["packages.id"], name=op.f("fk_inventory_packages_package_id_packages")
        ),
        sa.PrimaryKeyConstraint("inventory_id", "package_id", name=op.f("pk_inventory_packages")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_inventory_packages_package_id"), "inventory_packages", ["package_id"], unique=False)
    op.create_table(
        "layer_contents",
        sa.Column("layer_id", _ID, autoincrement=False, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["layer_id"], ["layers.id"], name=op.f("fk_layer_contents_layer_id_layers"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("layer_id", name=op.f("pk_layer_contents")),
    )
    op.create_table(
        "image_inventories",
        sa.Column("image_id", _ID, autoincrement=False, nullable=False),
        sa.Column("platform", sa.String(length=100), nullable=False),
        sa.Column("inventory_id", _ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["image_id"], ["images.id"], name=op.f("fk_image_inventories_image_id_images"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["inventory_id"],
            ["inventories.id"],
            name=op.f("fk_image_inventories_inventory_id_inventories"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("image_id", "platform", name=op.f("pk_image_inventories")),
    )
    op.create_index(op.f("ix_image_inventories_inventory_id"), "image_inventories", ["inventory_id"], unique=False)
    op.create_table(
        "observed_inventories",
        sa.Column("observation_id", _ID, autoincrement=False, nullable=False),
        sa.Column("platform", sa.String(length=100), nullable=False),
        sa.Column("inventory_id", _ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["inventory_id"],
            ["inventories.id"],
            name=op.f("fk_observed_inventories_inventory_id_inventories"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["observation_id"],
            ["observations.id"],
            name=op.f("fk_observed_inventories_observation_id_observations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("observation_id", "platform", name=op.f("pk_observed_inventories")),
    )
    op.create_index(
        op.f("ix_observed_inventories_inventory_id"), "observed_inventories", ["inventory_id"], unique=False
    )
    op.create_table(
        "package_changes",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("observation_id", _ID, nullable=False),
        sa.Column("platform", sa.String(length=100), nullable=False),
        sa.Column("before_id", _ID, nullable=False),
        sa.Column("after_id", _ID, nullable=False),
        sa.Column("compared_at", _MOMENT, nullable=True),
        sa.Column("changes", sa.JSON(), nullable=True),
        sa.Column("is_complete", sa.Boolean(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("due_at", _MOMENT, nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lease_owner", sa.String(length=64), nullable=True),
        sa.Column("lease_until", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["observation_id"],
            ["observations.id"],
            name=op.f("fk_package_changes_observation_id_observations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_package_changes")),
        sa.UniqueConstraint("observation_id", "platform", name=op.f("uq_package_changes_observation_id_platform")),
    )
    op.create_index(
        "ix_package_changes_undone", "package_changes", ["due_at"], unique=False, **_undone("compared_at")
    )
    _read_what_is_shown()


def _read_what_is_shown() -> None:
    """What bases show at the time of the upgrade is read as if it had just been seen; images are looked at anew."""
    connection = op.get_bind()
    connection.execute(sa.text("UPDATE images SET found = NULL, due_at = seen_at WHERE seen_at IS NOT NULL"))
    rows = connection.execute(
        sa.text(
            "SELECT o.id, o.at, o.observation, b.registry, b.repository FROM bases b "
            "JOIN observations o ON o.id = b.observation_id WHERE b.digest IS NOT NULL"
        )
    )
    for row in rows.all():
        observation = json.loads(row.observation) if isinstance(row.observation, str) else row.observation
        for platform in observation.get("platforms", []):
            if platform["layers"] and all(":" in layer for layer in platform["layers"]):
                _want(connection, row, platform)


def _want(connection: sa.Connection, row: Any, platform: dict[str, Any]) -> None:
    inventory = _id_of(
        connection,
        "inventories",
        {"digest": platform["digest"], "platform": platform["platform"], "seen_at": row.at, "due_at": row.at},
    )
    diff_ids = platform.get("diff_ids") or [None] * len(platform["layers"])
    for position, (layer, diff_id) in enumerate(zip(platform["layers"], diff_ids, strict=True)):
        place = {"registry": row.registry, "repository": row.repository}
        number = _id_of(
            connection, "layers", {"digest": layer, **place, "named_diff_id": diff_id, "due_at": row.at}
        )
        _insert(
            connection,
            "inventory_layers",
            {"inventory_id": inventory, "position": position, "layer_id": number},
        )
    observed = {"observation_id": row.id, "platform": platform["platform"], "inventory_id": inventory}
    _insert(connection, "observed_inventories", observed)


def _id_of(connection: sa.Connection, table: str, values: dict[str, Any]) -> int:
    _insert(connection, table, values)
    known = sa.table(table, sa.column("id"), sa.column("digest"))
    return int(connection.execute(sa.select(known.c.id).where(known.c.digest == values["digest"])).scalar_one())


def _insert(connection: sa.Connection, table: str, values: dict[str, Any]) -> None:
    """Several bases may show the same image."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    into = sa.table(table, *(sa.column(name) for name in values))
    connection.execute(dialect.insert(into).values(**values).on_conflict_do_nothing())
