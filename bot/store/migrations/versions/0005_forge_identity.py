"""Repositories by the forge's own ids, pull requests and runs by their node ids, how often a run was asked for."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Old rows get their ids with the next listing, and with the next look at each pull request and run.

    Columns are added and nothing is rebuilt: SQLite cannot drop a table to which others refer.
    """
    op.add_column("repositories", sa.Column("forge_id", sa.BigInteger(), nullable=True))
    op.add_column("repositories", sa.Column("node_id", sa.String(length=128), nullable=True))
    op.create_index(op.f("ix_repositories_forge_id"), "repositories", ["forge_id"], unique=True)
    op.add_column("rebuilds", sa.Column("node_id", sa.String(length=128), nullable=True))
    op.add_column("rebuilds", sa.Column("dispatches", sa.Integer(), server_default="0", nullable=False))
