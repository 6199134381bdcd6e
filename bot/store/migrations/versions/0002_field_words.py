"""Tables and columns take the words of the design: tasks, and the versions of facts and text."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """The tasks are copied into a new table, since a renamed one would keep the old names of its constraints."""
    op.create_table(
        "tasks",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("mark", sa.String(length=255), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lease_owner", sa.String(length=64), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tasks")),
        sa.UniqueConstraint("name", name=op.f("uq_tasks_name")),
    )
    op.create_index(op.f("ix_tasks_due_at"), "tasks", ["due_at"], unique=False)
    op.execute(
        "INSERT INTO tasks (name, mark, due_at, attempts, lease_owner, lease_until) "
        "SELECT name, mark, due_at, attempts, lease_owner, lease_until FROM chores"
    )
    op.drop_table("chores")
    op.alter_column("rebuilds", "explained", new_column_name="facts_version")
    op.alter_column("rebuilds", "worded", new_column_name="text_version")
