"""Each report names the scanner that wrote it; those of before are Trivy's."""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"


def upgrade() -> None:
    scanner = sa.Column("scanner", sa.String(length=60), server_default="Trivy", nullable=False)
    op.add_column("scan_reports", scanner)
