"""The column type of a point in time."""

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
    TypeDecorator,
    case,
    literal,
    type_coerce,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import TypeEngine

from bot.domain.clock import AHEAD

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
