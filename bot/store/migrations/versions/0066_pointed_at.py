"""Rebuilds keep which branch people have pointed their pull request at."""

import sqlalchemy as sa
from alembic import op

revision = "0066"
down_revision = "0063"


def upgrade() -> None:
    op.add_column("rebuilds", sa.Column("pointed_at", sa.Text(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("rebuilds") as table:
        table.drop_column("pointed_at")
