"""Bases may be copies of others, and be behind them."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    for column in (
        sa.Column("upstream_id", _ID, nullable=True),
        sa.Column("upstream_digest", sa.String(length=160), nullable=True),
        sa.Column("likeness", sa.String(length=16), nullable=True),
        sa.Column("behind_since", _MOMENT, nullable=True),
    ):
        op.add_column("bases", column)
    op.create_index(op.f("ix_bases_upstream_id"), "bases", ["upstream_id"], unique=False)
