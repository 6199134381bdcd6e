"""Contents of files, kept once however many repositories have them, and texts within stored usages."""

import zlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, String, delete, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from bot.store.engine.codec import readable
from bot.store.engine.writing import chunks
from bot.store.rows.forgetting import UNREFERRED_FOR, forgets
from bot.store.rows.repositories.tables import blobs, repository_blobs, usages


async def blobs_of(connection: AsyncConnection, shas: Iterable[str]) -> dict[str, bytes]:
    """Reads the contents that are kept, by their shas."""
    bodies: dict[str, bytes] = {}
    for chunk in chunks(sorted(set(shas))):
        rows = await connection.execute(select(blobs).where(blobs.c.sha.in_(chunk)))
        bodies |= readable(rows, lambda row: (row.sha, zlib.decompress(row.body)), lambda row: f"blob {row.sha}")
    return bodies


@forgets(blobs, "files that no repository holds", UNREFERRED_FOR)
async def forget_blobs(connection: AsyncConnection, before: datetime) -> dict[str, int]:
    unheld = delete(blobs).where(blobs.c.fetched_at < before, blobs.c.sha.not_in(select(repository_blobs.c.sha)))
    return {"blobs": (await connection.execute(unheld)).rowcount}


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
