"""The column type of a point in time."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect, TypeDecorator
from sqlalchemy.dialects import sqlite
from sqlalchemy.types import TypeEngine


class NoMoment:
    """Stands for what is no date in a date column: a row with it can be fetched beside others, but not read."""


class _Text(sqlite.DATETIME):
    """SQLite keeps dates as text and takes any other there."""

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any]:
        read = super().result_processor(dialect, coltype)
        assert read is not None

        def processed(value: Any) -> Any:
            try:
                return read(value)
            except (ValueError, TypeError):
                return NoMoment()

        return processed


_TEXT: TypeEngine[Any] = _Text()  # type: ignore[no-untyped-call]


class Moment(TypeDecorator[datetime]):
    """A point in time, kept in UTC; SQLite has no zones, so they are put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(_TEXT if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        in_utc = value.astimezone(UTC)
        return in_utc.replace(tzinfo=None) if dialect.name == "sqlite" else in_utc

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        if value is None or isinstance(value, NoMoment):
            return value
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
