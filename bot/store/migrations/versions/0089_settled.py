"""Which entries of a dump of vulnerabilities need not be read again."""

import sqlalchemy as sa
from alembic import op

revision = "0089"
down_revision = "0087"


def upgrade() -> None:
    """A column for the fingerprints of entries."""
    op.add_column("dumps", sa.Column("settled", sa.LargeBinary()))
