"""A mirror's copy of a quarantined digest is quarantined with it."""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    with op.batch_alter_table("quarantines") as table:
        table.add_column(sa.Column("copy_of_id", _ID, nullable=True))
        table.create_foreign_key(
            op.f("fk_quarantines_copy_of_id_quarantines"), "quarantines", ["copy_of_id"], ["id"]
        )
        table.create_index(op.f("ix_quarantines_copy_of_id"), ["copy_of_id"])
