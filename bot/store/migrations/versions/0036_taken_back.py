"""What onboarding has mended in a repository, and the checks of which that was taken back."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"


def upgrade() -> None:
    for name in ("proposed", "brought", "declined"):
        op.add_column("onboardings", sa.Column(name, sa.JSON(), nullable=True))
