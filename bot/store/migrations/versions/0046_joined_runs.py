"""Rebuilds know whether they follow a run that others have started."""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"


def upgrade() -> None:
    op.add_column("rebuilds", sa.Column("joined", sa.String(length=16), nullable=True))
