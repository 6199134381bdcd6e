"""What all tables share: their registry, the names of their keys, and the columns of rows that fall due.

Rows are the queue: what is worked on carries when it is due and who holds it until when.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    MetaData,
    Table,
)

from bot.store.rows.moment import Moment
from bot.store.rows.texts import ShortText

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Id = BigInteger().with_variant(Integer, "sqlite")


def key_column() -> Column[int]:
    """Makes the column that numbers the rows of a table."""
    return Column("id", Id, primary_key=True, autoincrement=True)


def lease_columns() -> list[Column[Any]]:
    """Makes the columns that say when a row is due, and who works on it."""
    return [
        Column("due_at", Moment, nullable=False),
        Column("attempts", Integer, nullable=False, server_default="0"),
        Column("lease_owner", ShortText(64)),
        Column("lease_until", Moment),
    ]


def leased(name: str, *columns: Any) -> Table:
    """Makes a table whose rows fall due."""
    return Table(name, metadata, key_column(), *columns, *lease_columns(), Index(None, "due_at"))
