"""What all tables share: their registry, the names of their keys, and how rows fall due.

Rows are the queue: what is worked on carries when it is due and who holds it until when.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Index,
    Integer,
    MetaData,
    Table,
)

from bot.store.rows.columns import Moment, ShortText

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


@dataclass(frozen=True, slots=True, eq=False)
class DueTable:
    """How the rows of one table fall due, as far as it concerns whoever looks at all such tables.

    `figure` is the queue's name in metrics, and `where` what holds of the rows that somebody works on. It is None
    where settings decide which rows those are: what nobody works on would be told to be due without end.

    `is_regular` says that rows are looked at again and again: a single pass on request takes them at once, or of
    them those of which `early` holds.

    No stage puts a row off by itself for longer than `furthest`, nor can a server ask for a longer wait than a day;
    the intervals that the operator sets come beside it. The rows of which `dated_by_people` holds keep their date,
    however far ahead: a window, a settle time or a freeze has set it.
    """

    figure: str | None = None
    where: tuple[ColumnElement[bool], ...] = ()
    is_regular: bool = False
    early: tuple[ColumnElement[bool], ...] = ()
    furthest: timedelta = timedelta(days=1)
    dated_by_people: tuple[ColumnElement[bool], ...] = ()


def falls_due(table: Table, due: DueTable) -> None:
    """Says so of a table, beside it: leases, metrics and single passes take their tables from that."""
    table.info["due"] = due


def due_of(table: Table) -> DueTable:
    """How its rows fall due; raises `KeyError` where nobody has said so."""
    due: DueTable = table.info["due"]
    return due


_locked_after: dict[str, tuple[str, ...]] = {}


def locked_after(lock: Table | str, *earlier: str) -> None:
    """Says beside a table, or a lock that is on none, which a transaction takes before its rows, of those that it
    takes: what the foreign keys do not say, or say otherwise. `bot/store/engine/writing.py` has the order."""
    _locked_after[lock if isinstance(lock, str) else lock.name] = earlier


def what_is_locked_after() -> Mapping[str, tuple[str, ...]]:
    """All that was said so, as far as its modules are loaded."""
    return _locked_after


@cache
def every_table() -> tuple[Table, ...]:
    """All tables, each after those that it refers to: the shared ones, and those of one stage, beside its store.

    `metadata` alone has those whose modules somebody has imported.
    """
    for module in sorted(_with_tables()):
        import_module(module)
    return tuple(metadata.sorted_tables)


def _with_tables() -> Iterator[str]:
    """The modules of `store/rows/`, and each that is called `rows` or stands in such a folder of a stage."""
    root = Path(__file__).parents[3]
    shared = (root / "bot/store/rows").rglob("*.py")
    for path in (*shared, *(root / "bot/fleet").rglob("rows.py"), *(root / "bot/fleet").rglob("rows/*.py")):
        yield ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
