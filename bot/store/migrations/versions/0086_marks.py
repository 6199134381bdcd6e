"""CVEs that are known to be exploited, and how likely each is."""

import sqlalchemy as sa
from alembic import op

revision = "0086"
down_revision = "0085"


def upgrade() -> None:
    """A row for each that CISA lists, and for each that EPSS has scored."""
    op.create_table(
        "exploited_cves",
        sa.Column("cve", sa.String(length=32), nullable=False),
        sa.Column("listed_on", sa.Date()),
        sa.PrimaryKeyConstraint("cve", name=op.f("pk_exploited_cves")),
    )
    op.create_table(
        "epss_scores",
        sa.Column("cve", sa.String(length=32), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("cve", name=op.f("pk_epss_scores")),
    )
