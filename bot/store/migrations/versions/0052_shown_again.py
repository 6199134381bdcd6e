"""Images keep since when they show what was known before they did, and what they showed until then."""

import sqlalchemy as sa
from alembic import op

revision = "0052"
down_revision = "0051"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "shown_again",
        sa.Column("id", _ID, nullable=False),
        sa.Column("image_id", _ID, nullable=False),
        sa.Column("platform", sa.String(length=100), nullable=False),
        sa.Column("inventory_id", _ID, nullable=False),
        sa.Column("previous_id", _ID, nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["image_id"], ["images.id"], name=op.f("fk_shown_again_image_id_images"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["inventory_id"],
            ["inventories.id"],
            name=op.f("fk_shown_again_inventory_id_inventories"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shown_again")),
    )
    for column in ("image_id", "inventory_id", "previous_id"):
        op.create_index(op.f(f"ix_shown_again_{column}"), "shown_again", [column], unique=False)


def downgrade() -> None:
    op.drop_table("shown_again")
