"""Places where images are run keep since when they name what they do."""

import sqlalchemy as sa
from alembic import op

revision = "0050"
down_revision = "0049"


def upgrade() -> None:
    op.add_column("deployments", sa.Column("since", sa.DateTime(timezone=True), nullable=True))
    op.add_column("deployments", sa.Column("is_older", sa.Boolean(), nullable=False, server_default="1"))
    # What was read last was there then; how long before is not known.
    op.execute(
        sa.text(
            "UPDATE deployments SET since ="
            " (SELECT repositories.read_at FROM repositories WHERE repositories.id = deployments.repository_id)"
        )
    )


def downgrade() -> None:
    op.drop_column("deployments", "is_older")
    op.drop_column("deployments", "since")
