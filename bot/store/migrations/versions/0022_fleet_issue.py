"""One issue tells of the fleet, and what people tick in it is heeded once."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "fleet_issues",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("repository", sa.String(length=255), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("wording", sa.Integer(), server_default="0", nullable=False),
        sa.Column("heeded", sa.JSON(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("due_at", _MOMENT, nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lease_owner", sa.String(length=64), nullable=True),
        sa.Column("lease_until", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fleet_issues")),
        sa.UniqueConstraint("repository", name=op.f("uq_fleet_issues_repository")),
    )
    op.create_index(op.f("ix_fleet_issues_due_at"), "fleet_issues", ["due_at"], unique=False)
