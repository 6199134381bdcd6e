"""What an image shows is known under each index that has named it, not under the first alone."""

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0048"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "later_indexes",
        sa.Column("index_digest", sa.String(length=160), nullable=False),
        sa.Column("inventory_id", _ID, autoincrement=False, nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["inventory_id"],
            ["inventories.id"],
            name=op.f("fk_later_indexes_inventory_id_inventories"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("index_digest", "inventory_id", name=op.f("pk_later_indexes")),
    )
    op.create_index(op.f("ix_later_indexes_inventory_id"), "later_indexes", ["inventory_id"], unique=False)
    # What images show now would be known no more once they show something else.
    op.execute(
        sa.text(
            "INSERT INTO later_indexes (index_digest, inventory_id, seen_at)"
            " SELECT images.digest, sbom_looks.inventory_id, MAX(images.seen_at) FROM images"
            " JOIN image_inventories ON image_inventories.image_id = images.id"
            " JOIN sbom_looks ON sbom_looks.inventory_id = image_inventories.inventory_id"
            " WHERE images.digest <> sbom_looks.index_digest AND images.seen_at IS NOT NULL"
            " GROUP BY images.digest, sbom_looks.inventory_id"
        )
    )


def downgrade() -> None:
    op.drop_table("later_indexes")
