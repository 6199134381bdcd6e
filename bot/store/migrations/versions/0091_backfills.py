"""How far the past of each source that tells what runs was read from what others have kept of it."""

import sqlalchemy as sa
from alembic import op

from bot.store.migrations.writing import ID, MOMENT, leased, number, part_of

revision = "0091"
down_revision = "0089"


def upgrade() -> None:
    """A row for each source whose past is asked for."""
    op.create_table(
        "running_backfills",
        number(),
        sa.Column("source_id", ID, nullable=False),
        sa.Column("first_at", MOMENT, nullable=False),
        sa.Column("read_to", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT),
        sa.Column("error", sa.Text()),
        *leased(),
        part_of("running_backfills", "source_id", "running_sources"),
        sa.UniqueConstraint("source_id", name=op.f("uq_running_backfills_source_id")),
    )
    op.create_index(op.f("ix_running_backfills_due_at"), "running_backfills", ["due_at"])
