"""Usages may follow images that the fleet builds, and rebuilds wait for those of their parents."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """What was planned before waits for no parent."""
    op.add_column("usages", sa.Column("image", sa.String(length=511), nullable=True))
    op.create_index(op.f("ix_usages_image"), "usages", ["image"], unique=False)
    for column in (
        sa.Column("distance", sa.Integer(), server_default="0", nullable=False),
        sa.Column("waits_for", sa.Text(), nullable=True),
        sa.Column("waits_until", _MOMENT, nullable=True),
        sa.Column("went_ahead", sa.Boolean(), server_default="0", nullable=False),
    ):
        op.add_column("rebuilds", column)
    with op.batch_alter_table("rollout_waves") as table:
        table.add_column(sa.Column("distance", sa.Integer(), server_default="0", nullable=False))
        table.drop_constraint("pk_rollout_waves", type_="primary")
        table.create_primary_key("pk_rollout_waves", ["rollout_id", "distance", "name"])
    op.create_table(
        "own_links",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("repository_id", _ID, nullable=False),
        sa.Column("base_id", _ID, nullable=False),
        sa.Column("cut", sa.Boolean(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["repository_id"],
            ["repositories.id"],
            name=op.f("fk_own_links_repository_id_repositories"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["base_id"], ["bases.id"], name=op.f("fk_own_links_base_id_bases")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_own_links")),
        sa.UniqueConstraint("repository_id", "base_id", name=op.f("uq_own_links_repository_id_base_id")),
    )
