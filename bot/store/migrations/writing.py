"""The words that many steps write tables with.

Steps say how tables were then, so these stay as they are; what tables have today is said in
`bot/store/rows/schema.py`.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def number() -> sa.Column[int]:
    """Makes the column that numbers the rows of a table."""
    return sa.Column("id", ID, primary_key=True, autoincrement=True)


def leased() -> list[sa.Column[Any]]:
    """Makes the columns that say when a row is due, and who works on it."""
    return [
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lease_owner", sa.String(length=64)),
        sa.Column("lease_until", MOMENT),
    ]


def refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    """Makes the reference of a column of `table` to the numbered rows of another."""
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}_{to}"))


def part_of(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    """Makes such a reference of rows that go with the row that they refer to."""
    name = op.f(f"fk_{table}_{column}_{to}")
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=name, ondelete="CASCADE")


def index(table: str, *columns: str) -> None:
    """Creates an index of all rows, named by its columns."""
    op.create_index(op.f("_".join(("ix", table, *columns))), table, columns)
