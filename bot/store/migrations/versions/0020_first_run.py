"""A store that has read a fleet already has its first run behind it."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.execute(
        sa.text(
            "INSERT INTO counters (name, value) SELECT 'first run', 1 "
            "WHERE EXISTS (SELECT 1 FROM repositories WHERE read_at IS NOT NULL)"
        )
    )
