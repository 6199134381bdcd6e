"""Repositories are judged by practices: their files by blob, what was found, and how that went by day and week."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "audits",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("repository_id", _ID, nullable=False),
        sa.Column("mark", sa.String(length=16), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("audited_at", _MOMENT, nullable=True),
        sa.Column("due_at", _MOMENT, nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lease_owner", sa.String(length=64), nullable=True),
        sa.Column("lease_until", _MOMENT, nullable=True),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.Column("findings", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["repository_id"],
            ["repositories.id"],
            name=op.f("fk_audits_repository_id_repositories"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audits")),
        sa.UniqueConstraint("repository_id", name=op.f("uq_audits_repository_id")),
    )
    op.create_index(op.f("ix_audits_due_at"), "audits", ["due_at"], unique=False)
    op.create_table(
        "practices",
        sa.Column("repository_id", _ID, nullable=False),
        sa.Column("practice", sa.String(length=64), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(
            ["repository_id"],
            ["repositories.id"],
            name=op.f("fk_practices_repository_id_repositories"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("repository_id", "practice", name=op.f("pk_practices")),
    )
    op.create_index(op.f("ix_practices_practice_outcome"), "practices", ["practice", "outcome"], unique=False)
    op.create_table(
        "practice_days",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("practice", sa.String(length=64), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("repositories", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "practice", "outcome", name=op.f("pk_practice_days")),
    )
    op.create_table(
        "practice_weeks",
        sa.Column("week", sa.Date(), nullable=False),
        sa.Column("practice", sa.String(length=64), nullable=False),
        sa.Column("opened", sa.Integer(), nullable=False),
        sa.Column("closed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("week", "practice", name=op.f("pk_practice_weeks")),
    )
    op.add_column("issue_sections", sa.Column("opens", sa.Boolean(), server_default="1", nullable=False))
