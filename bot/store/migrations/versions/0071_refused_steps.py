"""A step knows whether what kept it last was a refusal, so that it is tried again once the cause of that is gone.

Those that ended before stay as they are: a person tries them again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0071"
down_revision = "0068"


def upgrade() -> None:
    op.add_column("steps", sa.Column("refused", sa.Boolean(), server_default="0", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("steps") as table:
        table.drop_column("refused")
