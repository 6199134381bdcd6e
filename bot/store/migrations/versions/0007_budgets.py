"""What has been written is counted for each account, so that several replicas keep within one budget."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "budgets",
        sa.Column("account", sa.String(length=255), nullable=False),
        sa.Column("next_at", _MOMENT, nullable=True),
        sa.Column("room_at", _MOMENT, nullable=True),
        sa.Column("stopped_since", _MOMENT, nullable=True),
        sa.Column("stopped_until", _MOMENT, nullable=True),
        sa.Column("stopped_because", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_budgets")),
    )
    op.create_table(
        "spendings",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("account", sa.String(length=255), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("contents", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spendings")),
    )
    op.create_index(op.f("ix_spendings_account_at"), "spendings", ["account", "at"], unique=False)
