"""A quarantined digest to which a base comes back is held again, unless a person has let it go."""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"


def upgrade() -> None:
    op.add_column("quarantines", sa.Column("lifted", sa.Boolean(), nullable=False, server_default="0"))
    quarantines = sa.table(
        "quarantines", sa.column("lifted", sa.Boolean()), sa.column("until"), sa.column("outcome", sa.Text())
    )
    by_person = sa.and_(quarantines.c.until.is_not(None), quarantines.c.outcome.like("lifted by %"))
    op.execute(quarantines.update().where(by_person).values(lifted=True))
