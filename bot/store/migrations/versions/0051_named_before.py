"""Places where images are run keep what they named before, as far as it was seen."""

import sqlalchemy as sa
from alembic import op

revision = "0051"
down_revision = "0050"


def upgrade() -> None:
    op.add_column("deployments", sa.Column("named_before", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("deployments", "named_before")
