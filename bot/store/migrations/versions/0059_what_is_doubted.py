"""Images keep which entries of their index were not judged, and bases what their registry shows in turn."""

import sqlalchemy as sa
from alembic import op

revision = "0059"
down_revision = "0057"


def upgrade() -> None:
    op.add_column("images", sa.Column("not_judged", sa.JSON(), nullable=True))
    op.add_column("bases", sa.Column("other_digest", sa.String(length=160), nullable=True))
    op.add_column("bases", sa.Column("switched_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("bases", "switched_at")
    op.drop_column("bases", "other_digest")
    op.drop_column("images", "not_judged")
