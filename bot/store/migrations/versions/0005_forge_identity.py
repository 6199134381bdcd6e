"""Repositories by the forge's own ids, pull requests and runs by their node ids, how often a run was asked for."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0003"


def upgrade() -> None:
    """Old rows get their ids with the next listing, and with the next look at each pull request and run."""
    with op.batch_alter_table("repositories") as table:
        table.add_column(sa.Column("forge_id", sa.BigInteger(), nullable=True))
        table.add_column(sa.Column("node_id", sa.String(length=128), nullable=True))
        table.create_unique_constraint(op.f("uq_repositories_forge_id"), ["forge_id"])
    with op.batch_alter_table("rebuilds") as table:
        table.add_column(sa.Column("node_id", sa.String(length=128), nullable=True))
        table.add_column(sa.Column("dispatches", sa.Integer(), server_default="0", nullable=False))
