"""Documents of feeds keep what they said before and say no more, while that is doubted."""

import sqlalchemy as sa
from alembic import op

revision = "0057"
down_revision = "0054"


def upgrade() -> None:
    op.add_column("documents", sa.Column("doubts", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    op.drop_column("documents", "doubts")
