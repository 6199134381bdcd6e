"""The column type of a point in time."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import DateTime, Dialect, TypeDecorator
from sqlalchemy.dialects import sqlite
from sqlalchemy.types import TypeEngine


class NoMoment:
    """Stands for what is no date in a date column: a row with it can be fetched beside others, but not read."""


class _Text(sqlite.DATETIME):
    """SQLite keeps dates as text, without a zone, and takes any other text there."""

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any]:
        written = super().bind_processor(dialect)
        assert written is not None

        @lru_cache(maxsize=1024)
        def processed(value: datetime | None) -> Any:
            """Of thousands of rows that are written at once most bear the same few moments."""
            return None if value is None else written(value.astimezone(UTC).replace(tzinfo=None))

        return processed

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any]:
        read = super().result_processor(dialect, coltype)
        assert read is not None

        @lru_cache(maxsize=1024)
        def processed(value: Any) -> Any:
            """Of thousands of rows that are read at once most bear the same few moments as well."""
            try:
                found = read(value)
            except (ValueError, TypeError):
                return NoMoment()
            return None if found is None else found.replace(tzinfo=UTC)

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
