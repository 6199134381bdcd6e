"""Conditions on many values that are one parameter."""

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Dialect, Text, TypeDecorator, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

from bot.store.rows.schema import LongText, ShortText


def is_among(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """Whether a column is one of the whole numbers or texts that the statement is given as its parameter `name`.

    However many there are, the statement is the same: it is put together once, and planned no longer for thousands
    than for one. What is looked for may be of any length, as where a column is compared with one text.
    """
    of = LongText() if isinstance(column.type, ShortText) else column.type
    return _IsAmong(column, bindparam(name, type_=_Listed(of)))


class _IsAmong(FunctionElement[bool]):
    """Of a column and its list; SQLite would compare what is of the type `Boolean` with 1, and use no index."""

    inherit_cache = True


class _Listed(TypeDecorator[Iterable[Any]]):
    """An array on PostgreSQL, JSON on SQLite."""

    impl = Text
    cache_ok = True

    def __init__(self, of: TypeEngine[Any]) -> None:
        super().__init__()
        self.of = of

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name != "postgresql":
            return dialect.type_descriptor(Text())
        from sqlalchemy.dialects.postgresql import ARRAY

        return dialect.type_descriptor(ARRAY(self.of))

    def process_bind_param(self, value: Iterable[Any] | None, dialect: Dialect) -> Any:
        values = list(value or ())
        return values if dialect.name == "postgresql" else json.dumps(values)


@compiles(_IsAmong)
def _on_sqlite(element: _IsAmong, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(each, **options) for each in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608 - SQL of ours  # nosec B608


@compiles(_IsAmong, "postgresql")
def _on_postgresql(element: _IsAmong, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(each, **options) for each in element.clauses)
    return f"{column} = ANY({values})"
