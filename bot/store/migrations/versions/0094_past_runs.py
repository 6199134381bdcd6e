"""The ended runs of each place are kept in one row as well."""

import sqlalchemy as sa
from alembic import op

from bot.store.migrations.writing import ID, MOMENT, part_of

revision = "0094"
down_revision = "0093"


def upgrade() -> None:
    """Tables alone: what has ended is packed place by place, since of two years that takes long."""
    op.create_table(
        "past_runs",
        sa.Column("place_id", ID, nullable=False, autoincrement=False),
        sa.Column("first_end", MOMENT, nullable=False),
        sa.Column("last_end", MOMENT, nullable=False),
        sa.Column("packed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("place_id", name=op.f("pk_past_runs")),
        part_of("past_runs", "place_id", "running_places"),
    )
    op.add_column("runs", sa.Column("is_past", sa.Boolean(), server_default="0", nullable=False))
    op.drop_index(op.f("ix_runs_until"), "runs")
    op.create_index(
        "ix_runs_ended",
        "runs",
        ["until"],
        sqlite_where=sa.text("until IS NOT NULL AND is_past = 0"),
        postgresql_where=sa.text("until IS NOT NULL AND NOT is_past"),
    )
    for column in ("system_set_id", "other_set_id"):
        name = op.f(f"ix_past_contents_{column}")
        op.drop_index(name, "past_contents")
        op.create_index(name, "past_contents", [column, "image_id", "build_id"])
