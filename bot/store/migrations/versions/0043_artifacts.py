"""Rebuilds know the runs that have built them, and whether the artifacts of those were read; inventories know how
engines name their images."""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("rebuilds", sa.Column("built_by", sa.JSON(), nullable=True))
    op.add_column("inventories", sa.Column("config_digest", sa.String(length=160), nullable=True))
    op.create_index(op.f("ix_inventories_config_digest"), "inventories", ["config_digest"], unique=False)
    op.create_table(
        "artifact_reads",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("rebuild_id", _ID, nullable=False),
        sa.Column("refused", sa.String(length=200), nullable=True),
        sa.Column("problems", sa.Text(), nullable=True),
        sa.Column("read_at", _MOMENT, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("due_at", _MOMENT, nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lease_owner", sa.String(length=64), nullable=True),
        sa.Column("lease_until", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["rebuild_id"],
            ["rebuilds.id"],
            name=op.f("fk_artifact_reads_rebuild_id_rebuilds"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_artifact_reads")),
        sa.UniqueConstraint("rebuild_id", name=op.f("uq_artifact_reads_rebuild_id")),
    )
    undone = sa.text("read_at IS NULL")
    op.create_index(
        "ix_artifact_reads_undone", "artifact_reads", ["due_at"], sqlite_where=undone, postgresql_where=undone
    )
