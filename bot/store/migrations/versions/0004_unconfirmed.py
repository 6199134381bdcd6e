"""A digest that a base showed before is news only once two polls in a row have shown it again."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("bases", sa.Column("unconfirmed", sa.String(length=160), nullable=True))
