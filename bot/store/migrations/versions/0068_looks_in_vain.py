"""What is followed counts the looks in a row that found nothing, apart from those that failed."""

import sqlalchemy as sa
from alembic import op

revision = "0068"
down_revision = "0067"

_TABLES = ("rebuilds", "steps")


def upgrade() -> None:
    for name in _TABLES:
        op.add_column(name, sa.Column("looks_in_vain", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    for name in _TABLES:
        with op.batch_alter_table(name) as table:
            table.drop_column("looks_in_vain")
