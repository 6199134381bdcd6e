"""Whether a pull request merges by itself."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.add_column("rebuilds", sa.Column("merging", sa.String(length=16), nullable=True))
