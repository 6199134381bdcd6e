"""Images know who built them, by signed provenance."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    op.add_column("images", sa.Column("builder", sa.JSON(), nullable=True))
