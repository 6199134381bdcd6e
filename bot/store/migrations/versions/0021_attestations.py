"""Fresh images get a signed statement that says so."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "attestations",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("image_id", _ID, nullable=False),
        sa.Column("digest", sa.String(length=160), nullable=True),
        sa.Column("attached_at", _MOMENT, nullable=True),
        sa.Column("considered_at", _MOMENT, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("due_at", _MOMENT, nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lease_owner", sa.String(length=64), nullable=True),
        sa.Column("lease_until", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["image_id"], ["images.id"], name=op.f("fk_attestations_image_id_images"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attestations")),
        sa.UniqueConstraint("image_id", name=op.f("uq_attestations_image_id")),
    )
    op.create_index(op.f("ix_attestations_due_at"), "attestations", ["due_at"], unique=False)
