"""The images that the fleet produces, what they stand on, and where images are run."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "images",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("repository_id", _ID, nullable=False),
        sa.Column("registry", sa.String(length=255), nullable=False),
        sa.Column("repository", sa.String(length=255), nullable=False),
        sa.Column("tag", sa.String(length=128), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("found", sa.String(length=128), nullable=True),
        sa.Column("digest", sa.String(length=160), nullable=True),
        sa.Column("seen_at", _MOMENT, nullable=True),
        sa.Column("looked_at", _MOMENT, nullable=True),
        sa.Column("platforms", sa.JSON(), nullable=True),
        sa.Column("declared", sa.JSON(), nullable=True),
        sa.Column("standings", sa.JSON(), nullable=True),
        sa.Column("behind_since", _MOMENT, nullable=True),
        sa.Column("sourced_from", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("due_at", _MOMENT, nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lease_owner", sa.String(length=64), nullable=True),
        sa.Column("lease_until", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["repository_id"],
            ["repositories.id"],
            name=op.f("fk_images_repository_id_repositories"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_images")),
        sa.UniqueConstraint(
            "repository_id", "registry", "repository", name=op.f("uq_images_repository_id_registry_repository")
        ),
    )
    op.create_index(op.f("ix_images_due_at"), "images", ["due_at"], unique=False)
    op.create_index(op.f("ix_images_registry_repository"), "images", ["registry", "repository"], unique=False)
    op.create_table(
        "deployments",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("repository_id", _ID, nullable=False),
        sa.Column("registry", sa.String(length=255), nullable=False),
        sa.Column("repository", sa.String(length=255), nullable=False),
        sa.Column("tag", sa.String(length=128), nullable=True),
        sa.Column("digest", sa.String(length=160), nullable=True),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["repository_id"],
            ["repositories.id"],
            name=op.f("fk_deployments_repository_id_repositories"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deployments")),
    )
    op.create_index(op.f("ix_deployments_repository_id"), "deployments", ["repository_id"], unique=False)
    op.create_index(
        op.f("ix_deployments_registry_repository"), "deployments", ["registry", "repository"], unique=False
    )
