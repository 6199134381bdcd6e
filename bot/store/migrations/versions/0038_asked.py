"""What OSV's API was asked, and when the records that it named were changed last."""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"


def upgrade() -> None:
    op.add_column("dumps", sa.Column("asked", sa.LargeBinary(), nullable=True))
    op.add_column("vulnerabilities", sa.Column("modified", sa.String(length=40), nullable=True))
