"""Artifacts of steps' runs and of builds outside of rebuilds are read too.

Those of the last two days are read again; which run of a workflow ended last is known from the next look at it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("workflow_builds", sa.Column("ended_run", sa.BigInteger(), nullable=True))
    op.add_column("workflow_builds", sa.Column("ended_at", _MOMENT, nullable=True))
    op.drop_table("artifact_reads")
    op.create_table(
        "artifact_reads",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("rebuild_id", _ID, nullable=True),
        sa.Column("step_id", _ID, nullable=True),
        sa.Column("repository_id", _ID, nullable=False),
        sa.Column("run", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", _MOMENT, nullable=True),
        sa.Column("refused", sa.String(length=200), nullable=True),
        sa.Column("problems", sa.Text(), nullable=True),
        sa.Column("read_at", _MOMENT, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("due_at", _MOMENT, nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lease_owner", sa.String(length=64), nullable=True),
        sa.Column("lease_until", _MOMENT, nullable=True),
        *(
            sa.ForeignKeyConstraint(
                [f"{one}_id"], [f"{many}.id"], name=op.f(f"fk_artifact_reads_{one}_id_{many}"), ondelete="CASCADE"
            )
            for one, many in (("rebuild", "rebuilds"), ("step", "steps"), ("repository", "repositories"))
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_artifact_reads")),
        sa.UniqueConstraint("rebuild_id", name=op.f("uq_artifact_reads_rebuild_id")),
        sa.UniqueConstraint("step_id", name=op.f("uq_artifact_reads_step_id")),
        sa.UniqueConstraint("repository_id", "run", name=op.f("uq_artifact_reads_repository_id_run")),
    )
    undone = sa.text("read_at IS NULL")
    op.create_index(
        "ix_artifact_reads_undone", "artifact_reads", ["due_at"], sqlite_where=undone, postgresql_where=undone
    )
