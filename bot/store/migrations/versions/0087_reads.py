"""Builds that run and that no image of the fleet tells of: what is to be read of them."""

import sqlalchemy as sa
from alembic import op

from bot.store.migrations.writing import ID, MOMENT, leased, number, part_of

revision = "0087"
down_revision = "0086"


def upgrade() -> None:
    """A row for each build that its registry is asked for."""
    op.create_table(
        "running_reads",
        number(),
        sa.Column("build_id", ID, nullable=False),
        sa.Column("registry", sa.String(length=255), nullable=False),
        sa.Column("repository", sa.String(length=255), nullable=False),
        sa.Column("read_at", MOMENT),
        sa.Column("error", sa.Text()),
        *leased(),
        part_of("running_reads", "build_id", "running_builds"),
        sa.UniqueConstraint("build_id", name=op.f("uq_running_reads_build_id")),
    )
    undone = sa.text("read_at IS NULL")
    op.create_index(
        "ix_running_reads_undone", "running_reads", ["due_at"], sqlite_where=undone, postgresql_where=undone
    )
