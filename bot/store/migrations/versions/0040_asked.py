"""What OSV's API was asked, and when the records that it named were changed last."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"


def upgrade() -> None:
    op.add_column("dumps", sa.Column("asked", sa.LargeBinary(), nullable=True))
    op.add_column("vulnerabilities", sa.Column("modified", sa.String(length=40), nullable=True))
