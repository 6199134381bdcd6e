"""Images keep which entries of their index were not judged."""

import sqlalchemy as sa
from alembic import op

revision = "0059"
down_revision = "0052"


def upgrade() -> None:
    op.add_column("images", sa.Column("not_judged", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("images", "not_judged")
