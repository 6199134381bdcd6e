"""An image of weak evidence keeps the reason for which nothing is done by it."""

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"


def upgrade() -> None:
    op.add_column("images", sa.Column("weakness", sa.Text(), nullable=False, server_default=""))
