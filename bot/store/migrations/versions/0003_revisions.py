"""What was considered and assessed is told by revisions, and what is not assessed is found without a search."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Whatever waits is considered once more, which makes nothing later: the clocks of before tell no order."""
    op.add_column("changes", sa.Column("assessed_revision", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("rebuilds", sa.Column("considered_revision", sa.BigInteger(), server_default="0", nullable=False))
    op.drop_column("rebuilds", "considered_at")
    op.execute("UPDATE changes SET assessed_revision = 1 WHERE rollout_id IS NOT NULL")
    op.execute("INSERT INTO counters (name, value) SELECT 'assessments', 1 WHERE EXISTS (SELECT id FROM changes)")
    op.create_index(
        "ix_observations_unassessed",
        "observations",
        ["id"],
        unique=False,
        sqlite_where=sa.text("assessed IS 0"),
        postgresql_where=sa.text("assessed IS false"),
    )
