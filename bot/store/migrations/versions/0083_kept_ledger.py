"""The list of all CVEs is kept, so that no page works it out."""

import sqlalchemy as sa
from alembic import op

from bot.store.migrations.writing import MOMENT, number

revision = "0083"
down_revision = "0082"


def upgrade() -> None:
    """At most one row, which the bot renews."""
    op.create_table(
        "kept_ledger",
        number(),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("ledger", sa.JSON(), nullable=False),
    )
