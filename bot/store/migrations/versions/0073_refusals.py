"""Refusals are counted apart from faults of the world, and what hinders a rebuild is kept."""

import sqlalchemy as sa
from alembic import op

revision = "0073"
down_revision = "0071"

_TABLES = ("rebuilds", "steps")


def upgrade() -> None:
    for name in _TABLES:
        op.add_column(name, sa.Column("refusals", sa.Integer(), server_default="0", nullable=False))
    op.add_column("rebuilds", sa.Column("hindered_by", sa.Text(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("rebuilds") as table:
        table.drop_column("hindered_by")
    for name in _TABLES:
        with op.batch_alter_table(name) as table:
            table.drop_column("refusals")
