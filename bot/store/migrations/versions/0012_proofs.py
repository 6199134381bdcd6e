"""What a rebuild's image was seen to show, and whether a build asks for the newest base."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """What ended before was never looked at."""
    op.add_column("rebuilds", sa.Column("proof", sa.String(length=16), nullable=True))
    op.add_column("images", sa.Column("pulls", sa.Boolean(), nullable=True))
