"""SBOMs of the fleet's images, and which registries are to be asked for them."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def _of_inventory(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_inventory_id_inventories")
    return sa.ForeignKeyConstraint(["inventory_id"], ["inventories.id"], name=name, ondelete="CASCADE")


def upgrade() -> None:
    op.create_table(
        "sbom_looks",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("inventory_id", _ID, nullable=False),
        sa.Column("registry", sa.String(length=255), nullable=False),
        sa.Column("repository", sa.String(length=255), nullable=False),
        sa.Column("index_digest", sa.String(length=160), nullable=False),
        sa.Column("is_last", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("looked_at", _MOMENT, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("due_at", _MOMENT, nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lease_owner", sa.String(length=64), nullable=True),
        sa.Column("lease_until", _MOMENT, nullable=True),
        _of_inventory("sbom_looks"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sbom_looks")),
        sa.UniqueConstraint("inventory_id", name=op.f("uq_sbom_looks_inventory_id")),
    )
    undone = sa.text("looked_at IS NULL")
    op.create_index(
        "ix_sbom_looks_undone", "sbom_looks", ["due_at"], unique=False, sqlite_where=undone, postgresql_where=undone
    )
    op.create_table(
        "sboms",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("inventory_id", _ID, nullable=False),
        sa.Column("document", sa.String(length=160), nullable=False),
        sa.Column("origin", sa.String(length=40), nullable=False),
        sa.Column("strength", sa.String(length=20), nullable=False),
        sa.Column("told", sa.Text(), nullable=False),
        sa.Column("distribution", sa.JSON(), nullable=True),
        sa.Column("problems", sa.JSON(), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        _of_inventory("sboms"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sboms")),
    )
    op.create_index(op.f("ix_sboms_inventory_id"), "sboms", ["inventory_id"], unique=False)
    op.create_table(
        "sbom_packages",
        sa.Column("sbom_id", _ID, autoincrement=False, nullable=False),
        sa.Column("package_id", _ID, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(
            ["sbom_id"], ["sboms.id"], name=op.f("fk_sbom_packages_sbom_id_sboms"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["package_id"], ["packages.id"], name=op.f("fk_sbom_packages_package_id_packages")),
        sa.PrimaryKeyConstraint("sbom_id", "package_id", name=op.f("pk_sbom_packages")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_sbom_packages_package_id"), "sbom_packages", ["package_id"], unique=False)
