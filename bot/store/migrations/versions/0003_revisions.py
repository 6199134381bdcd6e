"""Revisions tell what was considered; what nothing refers to, and what is not assessed, can be found."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Whatever waits is considered once more, which makes nothing later: the clocks of before tell no order. Every
    repository is read again when its turn comes, since nobody knows which files it holds."""
    op.add_column("changes", sa.Column("assessed_revision", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("rebuilds", sa.Column("considered_revision", sa.BigInteger(), server_default="0", nullable=False))
    op.drop_column("rebuilds", "considered_at")
    op.execute("UPDATE changes SET assessed_revision = 1 WHERE rollout_id IS NOT NULL")
    op.execute("INSERT INTO counters (name, value) SELECT 'assessments', 1 WHERE EXISTS (SELECT id FROM changes)")
    op.create_table(
        "repository_blobs",
        sa.Column("repository_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sha", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["repository_id"],
            ["repositories.id"],
            name=op.f("fk_repository_blobs_repository_id_repositories"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("repository_id", "sha", name=op.f("pk_repository_blobs")),
    )
    op.create_index(op.f("ix_repository_blobs_sha"), "repository_blobs", ["sha"], unique=False)
    op.add_column("blobs", sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE blobs SET fetched_at = CURRENT_TIMESTAMP")
    op.execute("UPDATE repositories SET tree = NULL")
    op.create_index(
        "ix_observations_unassessed",
        "observations",
        ["id"],
        unique=False,
        sqlite_where=sa.text("assessed IS 0"),
        postgresql_where=sa.text("assessed IS false"),
    )
