"""Texts within stored usages, read by the database: of thousands at once, without making values of them."""

from typing import Any

from sqlalchemy import ColumnElement, String, literal_column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from bot.store.rows.repositories.tables import usages


def usage_text(name: str) -> ColumnElement[str]:
    """The text of this field of a usage; none where the row cannot be read, which leaves the others alone."""
    return _TextWithin(usages.c.usage, literal_column(f"'{name}'"))


class _TextWithin(FunctionElement[str]):
    type = String()
    inherit_cache = True


@compiles(_TextWithin)
def _text_within(element: _TextWithin, compiler: SQLCompiler, **options: Any) -> str:
    document, name = (compiler.process(each, **options) for each in element.clauses)
    return f"({document} ->> {name})"


@compiles(_TextWithin, "sqlite")
def _text_within_on_sqlite(element: _TextWithin, compiler: SQLCompiler, **options: Any) -> str:
    """SQLite keeps JSON as text, and refuses a whole query for one that is none."""
    document, name = (compiler.process(each, **options) for each in element.clauses)
    return f"CASE WHEN json_valid({document}) THEN json_extract({document}, '$.' || {name}) END"
