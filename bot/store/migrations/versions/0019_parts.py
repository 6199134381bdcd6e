"""A monorepo's rebuild touches the workflows that its usages belong to."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """What was planned before is built as a whole."""
    op.add_column("rebuilds", sa.Column("parts", sa.JSON(), nullable=True))
