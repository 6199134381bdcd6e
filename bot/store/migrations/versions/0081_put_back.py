"""A pause of a store that is new keeps what is put back once a person lets the bot go on."""

import sqlalchemy as sa
from alembic import op

revision = "0081"
down_revision = "0080"


def upgrade() -> None:
    """What a resume puts back."""
    op.add_column("pauses", sa.Column("puts_back", sa.JSON()))
