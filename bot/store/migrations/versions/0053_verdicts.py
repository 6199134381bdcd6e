"""Images and SBOMs keep whose trust what is signed about them was judged by, and until when that holds."""

import sqlalchemy as sa
from alembic import op

revision = "0053"
down_revision = "0052"

_BEFORE = "before 0053"
"""A mark that nobody has: what was judged before is judged again."""


def upgrade() -> None:
    for table in ("images", "sboms"):
        op.add_column(table, sa.Column("judged_by", sa.String(length=32), nullable=True))
        op.add_column(table, sa.Column("judged_until", sa.DateTime(timezone=True), nullable=True))
    images = sa.table("images", *map(sa.column, ("builder", "declared", "judged_by")))
    is_judged = sa.or_(
        sa.cast(images.c.builder, sa.Text).like("{%"),
        sa.cast(images.c.declared, sa.Text).like("%verified provenance%"),
    )
    op.execute(sa.update(images).where(is_judged).values(judged_by=_BEFORE))
    sboms = sa.table("sboms", *map(sa.column, ("strength", "judged_by")))
    op.execute(sa.update(sboms).where(sboms.c.strength == "proved").values(judged_by=_BEFORE))


def downgrade() -> None:
    for table in ("sboms", "images"):
        op.drop_column(table, "judged_until")
        op.drop_column(table, "judged_by")
