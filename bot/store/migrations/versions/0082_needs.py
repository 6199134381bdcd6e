"""A rebuild keeps since when its pull request can be merged, and the store since when nothing needs a person."""

import sqlalchemy as sa
from alembic import op

from bot.store.migrations.writing import MOMENT, number

revision = "0082"
down_revision = "0081"


def upgrade() -> None:
    """What waits for a person, and since when nothing does."""
    op.add_column("rebuilds", sa.Column("ready_since", MOMENT))
    op.create_table("calm", number(), sa.Column("since", MOMENT, nullable=False))
