"""What is still to be considered anew is found by an index: a tick with nothing to do searched all that waits."""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_index(
        op.f("ix_rebuilds_rollout_id_state_considered_revision"),
        "rebuilds",
        ["rollout_id", "state", "considered_revision"],
        unique=False,
    )
    op.drop_index(op.f("ix_rebuilds_rollout_id"), table_name="rebuilds")
