"""What the gate says of images, and what it let through last."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def _of_image(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_image_id_images")
    return sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=name, ondelete="CASCADE")


def upgrade() -> None:
    op.create_table(
        "gates",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("image_id", _ID, nullable=False),
        sa.Column("digest", sa.String(length=160), nullable=True),
        sa.Column("mode", sa.String(length=16), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("told", sa.Text(), nullable=True),
        sa.Column("blocking", sa.Integer(), server_default="0", nullable=False),
        sa.Column("unfixed", sa.Integer(), server_default="0", nullable=False),
        sa.Column("gated", sa.JSON(), nullable=True),
        sa.Column("owed", sa.JSON(), nullable=True),
        sa.Column("mark", sa.String(length=64), nullable=True),
        sa.Column("judged_at", _MOMENT, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("due_at", _MOMENT, nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lease_owner", sa.String(length=64), nullable=True),
        sa.Column("lease_until", _MOMENT, nullable=True),
        _of_image("gates"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gates")),
        sa.UniqueConstraint("image_id", name=op.f("uq_gates_image_id")),
    )
    op.create_index(op.f("ix_gates_due_at"), "gates", ["due_at"], unique=False)
    op.create_table(
        "let_through",
        sa.Column("image_id", _ID, autoincrement=False, nullable=False),
        sa.Column("platform", sa.String(length=100), nullable=False),
        sa.Column("digest", sa.String(length=160), nullable=False),
        sa.Column("inventory_id", _ID, nullable=False),
        _of_image("let_through"),
        sa.ForeignKeyConstraint(
            ["inventory_id"],
            ["inventories.id"],
            name=op.f("fk_let_through_inventory_id_inventories"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("image_id", "platform", name=op.f("pk_let_through")),
    )
    op.create_index(op.f("ix_let_through_inventory_id"), "let_through", ["inventory_id"], unique=False)
