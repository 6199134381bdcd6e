"""A message may be told in several places, and rests a moment before it is edited again."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """What was told up to now was told in Slack."""
    with op.batch_alter_table("outbox") as table:
        table.add_column(sa.Column("destination", sa.String(length=80), server_default="", nullable=False))
        table.add_column(sa.Column("rests_until", sa.DateTime(timezone=True), nullable=True))
        table.drop_constraint(op.f("uq_outbox_key"), type_="unique")
        table.create_unique_constraint(op.f("uq_outbox_key_destination"), ["key", "destination"])
    op.execute("UPDATE outbox SET destination = 'slack'")
