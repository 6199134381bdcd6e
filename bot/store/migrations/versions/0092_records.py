"""Where forges are told what runs: an owner's records of one source, and what they say."""

import sqlalchemy as sa
from alembic import op

from bot.store.migrations.writing import ID, MOMENT, leased, number, part_of

revision = "0092"
down_revision = "0091"


def upgrade() -> None:
    """A row for each owner whose images a source runs, and one for each record that was written."""
    op.create_table(
        "recorded_sources",
        number(),
        sa.Column("source_id", ID, nullable=False),
        sa.Column("owner", sa.String(length=255), nullable=False),
        sa.Column("error", sa.Text()),
        *leased(),
        part_of("recorded_sources", "source_id", "running_sources"),
        sa.UniqueConstraint("source_id", "owner", name=op.f("uq_recorded_sources_source_id_owner")),
    )
    op.create_index("ix_recorded_sources_due_at", "recorded_sources", ["due_at"])
    op.create_table(
        "deployment_records",
        number(),
        sa.Column("recorded_id", ID, nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("image", sa.String(length=256), nullable=False),
        sa.Column("digest", sa.String(length=160), nullable=False),
        sa.Column("repository", sa.String(length=255), nullable=False),
        sa.Column("sent_at", MOMENT, nullable=False),
        sa.Column("refused", sa.String(length=255)),
        part_of("deployment_records", "recorded_id", "recorded_sources"),
        sa.UniqueConstraint("recorded_id", "name", name=op.f("uq_deployment_records_recorded_id_name")),
    )
