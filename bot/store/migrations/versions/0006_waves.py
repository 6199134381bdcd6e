"""Rollouts go in waves, can be paused, and a bad base can be quarantined; what people asked for is kept."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """What was planned before may begin as it always could."""
    for column in (
        sa.Column("severity", sa.String(length=16), nullable=True),
        sa.Column("soak_seconds", sa.Integer(), nullable=True),
        sa.Column("waits_since", _MOMENT, nullable=True),
        sa.Column("overdue_at", _MOMENT, nullable=True),
        sa.Column("released_at", _MOMENT, nullable=True),
        sa.Column("at_request", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("held_because", sa.Text(), nullable=True),
        sa.Column("quarantine_id", _ID, nullable=True),
        sa.Column("retried_as", _ID, nullable=True),
        sa.Column("call_off", sa.Text(), nullable=True),
    ):
        op.add_column("rebuilds", column)
    op.create_index(op.f("ix_rebuilds_quarantine_id"), "rebuilds", ["quarantine_id"], unique=False)
    op.execute("UPDATE rebuilds SET waits_since = planned_at, released_at = planned_at")
    op.create_table(
        "rollout_waves",
        sa.Column("rollout_id", _ID, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("began_at", _MOMENT, nullable=True),
        sa.Column("done_since", _MOMENT, nullable=True),
        sa.Column("set_aside", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["rollout_id"], ["rollouts.id"], name=op.f("fk_rollout_waves_rollout_id_rollouts")),
        sa.PrimaryKeyConstraint("rollout_id", "name", name=op.f("pk_rollout_waves")),
    )
    op.create_table(
        "pauses",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("rollout_id", _ID, nullable=True),
        sa.Column("since", _MOMENT, nullable=False),
        sa.Column("who", sa.String(length=255), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("until", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["rollout_id"], ["rollouts.id"], name=op.f("fk_pauses_rollout_id_rollouts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pauses")),
    )
    op.create_index(op.f("ix_pauses_rollout_id"), "pauses", ["rollout_id"], unique=False)
    op.create_table(
        "quarantines",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("base_id", _ID, nullable=False),
        sa.Column("digest", sa.String(length=160), nullable=False),
        sa.Column("since", _MOMENT, nullable=False),
        sa.Column("who", sa.String(length=255), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("until", _MOMENT, nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["base_id"], ["bases.id"], name=op.f("fk_quarantines_base_id_bases")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantines")),
    )
    op.create_index(op.f("ix_quarantines_base_id"), "quarantines", ["base_id"], unique=False)
    op.create_table(
        "journal",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("who", sa.String(length=255), nullable=False),
        sa.Column("is_claimed", sa.Boolean(), nullable=False),
        sa.Column("what", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=512), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal")),
    )
