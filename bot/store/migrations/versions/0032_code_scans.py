"""Findings may be uploaded to code scanning: what it has of each repository."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "code_scans",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("repository_id", _ID, nullable=False),
        sa.Column("uploaded", sa.String(length=32), nullable=True),
        sa.Column("refused", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("due_at", _MOMENT, nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lease_owner", sa.String(length=64), nullable=True),
        sa.Column("lease_until", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["repository_id"],
            ["repositories.id"],
            name=op.f("fk_code_scans_repository_id_repositories"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_code_scans")),
        sa.UniqueConstraint("repository_id", name=op.f("uq_code_scans_repository_id")),
    )
    op.create_index(op.f("ix_code_scans_due_at"), "code_scans", ["due_at"], unique=False)
