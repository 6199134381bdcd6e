"""A rebuild goes on to its steps once its build is green."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """What is under way ends with its build, as it was planned."""
    op.add_column("rebuilds", sa.Column("steps", sa.Integer(), server_default="0", nullable=False))
    op.create_table(
        "steps",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("rebuild_id", _ID, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("step", sa.JSON(), nullable=False),
        sa.Column("start", sa.String(length=16), nullable=False),
        sa.Column("elsewhere", sa.String(length=255), nullable=True),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("began_at", _MOMENT, nullable=True),
        sa.Column("since", _MOMENT, nullable=True),
        sa.Column("deadline", _MOMENT, nullable=True),
        sa.Column("waits_since", _MOMENT, nullable=True),
        sa.Column("attempted_at", _MOMENT, nullable=True),
        sa.Column("correlation", sa.String(length=64), nullable=True),
        sa.Column("dispatches", sa.Integer(), server_default="0", nullable=False),
        sa.Column("run", sa.BigInteger(), nullable=True),
        sa.Column("node_id", sa.String(length=128), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("ended_at", _MOMENT, nullable=True),
        sa.Column("due_at", _MOMENT, nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lease_owner", sa.String(length=64), nullable=True),
        sa.Column("lease_until", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["rebuild_id"], ["rebuilds.id"], name=op.f("fk_steps_rebuild_id_rebuilds")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_steps")),
        sa.UniqueConstraint("correlation", name=op.f("uq_steps_correlation")),
    )
    op.create_index(op.f("ix_steps_rebuild_id"), "steps", ["rebuild_id"], unique=False)
    op.create_index(op.f("ix_steps_due_at"), "steps", ["due_at"], unique=False)
