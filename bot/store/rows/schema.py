"""What all tables share: their registry, the names of their keys, how rows fall due, and types of columns.

PostgreSQL breaks off a statement over a text longer than its column or with a zero character in it, SQLite takes
both, and neither takes half of a surrogate pair. Whoever reads a value bounds it; these are the last to look.

Rows are the queue: what is worked on carries when it is due and who holds it until when.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    DateTime,
    Dialect,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    case,
    event,
    literal,
    type_coerce,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import TypeEngine

from bot.domain.clock import AHEAD
from bot.domain.failure import Failure, Trouble

AFTER_EVERY_DATE = ":"
"""Behind all that begins with a digit."""


class NoMoment:
    """Stands for what is no date in a date column: a row with it can be fetched beside others, but not read."""


class _Text(sqlite.DATETIME):
    """SQLite keeps dates as text, without a zone, and takes any other text there."""

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any]:
        processor = super().bind_processor(dialect)
        assert processor is not None

        @lru_cache(maxsize=1024)
        def processed(value: datetime | None) -> Any:
            """Of thousands of rows that are written at once most bear the same few moments."""
            return None if value is None else processor(value.astimezone(UTC).replace(tzinfo=None))

        return processed

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any]:
        processor = super().result_processor(dialect, coltype)
        assert processor is not None

        @lru_cache(maxsize=1024)
        def processed(value: Any) -> Any:
            """Of thousands of rows that are read at once most bear the same few moments as well."""
            try:
                moment = processor(value)
            except (ValueError, TypeError):
                return NoMoment()
            return None if moment is None else moment.replace(tzinfo=UTC)

        return processed


_TEXT: TypeEngine[Any] = _Text()  # type: ignore[no-untyped-call]


class Moment(TypeDecorator[datetime]):
    """A point in time, in UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(_TEXT if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value if value is None or dialect.name == "sqlite" else value.astimezone(UTC)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        """That of SQLite reads what is in UTC: it is asked itself, since of hundreds of thousands of rows each call
        more takes longer than the reading."""
        if dialect.name == "sqlite":
            return self.impl_instance.result_processor(dialect, coltype)
        return super().result_processor(dialect, coltype)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return None if value is None else value.astimezone(UTC)


class Noted(Moment):
    """A point in time that the bot itself notes of what it has just done or seen: by no clock that is right does it
    lie ahead."""

    cache_ok = True


def at_last(column: Column[Any], now: datetime) -> ColumnElement[Any]:
    """The time in a column, or now where that is yet to come."""
    return case((column > now + AHEAD, literal(now, column.type)), else_=column)


def holds_no_date(column: Column[Any]) -> ColumnElement[bool]:
    """SQLite takes any text there, which comes after all dates; what begins with a digit counts as one itself."""
    return type_coerce(column, String) >= AFTER_EVERY_DATE


def set_right(connection: AsyncConnection, table: Table, now: datetime) -> dict[str, ColumnElement[Any]]:
    """Values for the columns of `table` by which nothing that was noted there is yet to come: it counts as now.

    What is no date stays, for whoever reads it to say so.
    """
    columns = [column for column in table.columns if isinstance(column.type, Noted)]
    if connection.dialect.name != "sqlite":
        return {column.name: at_last(column, now) for column in columns}
    return {column.name: case((holds_no_date(column), column), else_=at_last(column, now)) for column in columns}


_IMPOSSIBLE = re.compile("[\x00\ud800-\udfff]")
_SHOWN = 60


class LongText(TypeDecorator[str]):
    """Sentences and paths; a character that cannot be kept is replaced."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return _IMPOSSIBLE.sub("\ufffd", value) if isinstance(value, str) else value


class ShortText(TypeDecorator[str]):
    """Names, versions, digests and states of at most so many characters. A longer one is refused, with the column
    and the text in one line: what it is about fails alone, and cut off it would be another name."""

    impl = String
    cache_ok = True
    place = "a column"

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self._most = length

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if not isinstance(value, str):
            return value
        if len(value) > self._most:
            problem = f"{self.place} takes {self._most} characters, and {value[:_SHOWN]!r}… has {len(value)}"
            raise Failure(Trouble.MALFORMED, problem, advice="nothing of it is kept")
        if _IMPOSSIBLE.search(value):
            problem = f"{self.place} takes no such characters as are in {value[:_SHOWN]!r}"
            raise Failure(Trouble.MALFORMED, problem, advice="nothing of it is kept")
        return value

    def coerce_compared_value(self, op: Any, value: Any) -> TypeEngine[Any]:
        """What is looked for may be of any length: it is not found."""
        return LongText()


@event.listens_for(Column, "after_parent_attach")
def _name_place(column: Column[Any], table: Table) -> None:
    """Tells the type which column it stands in."""
    if isinstance(column.type, ShortText):
        column.type.place = f"{table.name}.{column.name}"


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
