"""A merged pull request is followed to the build of its merge commit."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """What ended before has ended; what was built then counts from its end."""
    for column in (
        sa.Column("merge_commit", sa.String(length=64), nullable=True),
        sa.Column("merge_node", sa.String(length=128), nullable=True),
        sa.Column("merged_at", _MOMENT, nullable=True),
        sa.Column("built_at", _MOMENT, nullable=True),
    ):
        op.add_column("rebuilds", column)
    op.execute("UPDATE rebuilds SET built_at = ended_at WHERE action = 'dispatch' AND state = 'succeeded'")
