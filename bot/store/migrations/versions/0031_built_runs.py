"""Rebuilds know the commit and the number of the run that has built them."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    op.add_column("rebuilds", sa.Column("built_commit", sa.String(length=64), nullable=True))
    op.add_column("rebuilds", sa.Column("run_number", sa.Integer(), nullable=True))
