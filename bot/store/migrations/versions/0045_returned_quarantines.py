"""A quarantine counts how often its base came back to the digest."""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"


def upgrade() -> None:
    op.add_column("quarantines", sa.Column("returns", sa.Integer(), nullable=False, server_default="0"))
