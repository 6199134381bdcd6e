"""An upload to code scanning is asked about until it was taken in."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"


def upgrade() -> None:
    op.add_column("code_scans", sa.Column("upload", sa.String(length=128), nullable=True))
