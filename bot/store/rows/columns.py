"""The column types of points in time and of texts, of which most are from outside.

PostgreSQL breaks off a statement over a text longer than its column or with a zero character in it, SQLite takes
both, and neither takes half of a surrogate pair. Whoever reads a value bounds it; these are the last to look.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    DateTime,
    Dialect,
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

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return value if value is None or dialect.name == "sqlite" else value.astimezone(UTC)


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
