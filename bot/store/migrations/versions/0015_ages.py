"""The builds of each rebuild workflow are kept, and a rollout says what it is for where no base has moved."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Rollouts so far are all about bases that moved."""
    op.add_column("rollouts", sa.Column("occasion", sa.String(length=16), server_default="change", nullable=False))
    op.create_table(
        "workflow_builds",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("repository_id", _ID, nullable=False),
        sa.Column("workflow", sa.String(length=128), nullable=False),
        sa.Column("max_age_seconds", sa.Integer(), nullable=True),
        sa.Column("node_id", sa.String(length=128), nullable=True),
        sa.Column("builds", sa.JSON(), nullable=False),
        sa.Column("last_success", _MOMENT, nullable=True),
        sa.Column("read_at", _MOMENT, nullable=True),
        sa.Column("tree", sa.String(length=64), nullable=True),
        sa.Column("changed_at", _MOMENT, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("judged", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("standing", sa.String(length=16), nullable=True),
        sa.Column("said", sa.Text(), nullable=True),
        sa.Column("plan_at", _MOMENT, nullable=True),
        sa.Column("told_at", _MOMENT, nullable=True),
        sa.Column("due_at", _MOMENT, nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lease_owner", sa.String(length=64), nullable=True),
        sa.Column("lease_until", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["repository_id"],
            ["repositories.id"],
            name=op.f("fk_workflow_builds_repository_id_repositories"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workflow_builds")),
        sa.UniqueConstraint("repository_id", "workflow", name=op.f("uq_workflow_builds_repository_id_workflow")),
    )
    for name in ("due_at", "judged", "plan_at"):
        op.create_index(op.f(f"ix_workflow_builds_{name}"), "workflow_builds", [name], unique=False)
