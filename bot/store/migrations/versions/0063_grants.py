"""What each owner has granted the bot is kept, so that more of it has the refused tried again."""

import sqlalchemy as sa
from alembic import op

revision = "0063"
down_revision = "0062"


def upgrade() -> None:
    op.create_table(
        "grants",
        sa.Column("owner", sa.String(length=255), nullable=False),
        sa.Column("granted", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("owner", name=op.f("pk_grants")),
    )


def downgrade() -> None:
    op.drop_table("grants")
