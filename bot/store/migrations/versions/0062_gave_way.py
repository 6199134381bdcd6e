"""A rebuild that a fault holds up keeps since when its place in its wave is others'."""

import sqlalchemy as sa
from alembic import op

revision = "0062"
down_revision = "0061"


def upgrade() -> None:
    op.add_column("rebuilds", sa.Column("gave_way_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("rebuilds") as table:
        table.drop_column("gave_way_at")
