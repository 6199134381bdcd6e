"""Images keep by which edition of the law they were judged; layers that were read keep what they hold."""

import sqlalchemy as sa
from alembic import op

revision = "0061"
down_revision = "0060"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("images", sa.Column("law", sa.Integer(), server_default="0", nullable=False))
    op.execute("UPDATE images SET state = 'claimed' WHERE state = 'current'")
    op.create_table(
        "unpacked_layers",
        sa.Column("id", _ID, nullable=False),
        sa.Column("digest", sa.String(length=160), nullable=False),
        sa.Column("content", sa.String(length=160), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unpacked_layers")),
        sa.UniqueConstraint("digest", name=op.f("uq_unpacked_layers_digest")),
    )


def downgrade() -> None:
    op.drop_table("unpacked_layers")
    with op.batch_alter_table("images") as table:
        table.drop_column("law")
