"""A copy of the store to try things on: what happens to it leaves no trace."""

import asyncio
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, MetaData, insert, select

from bot.store.engine.database import Database, open_database, opening
from bot.store.engine.engines import database_url, engine_for
from bot.store.engine.failures import cannot_be_opened
from bot.store.engine.writing import chunks
from bot.store.rows.schema import every_table


@asynccontextmanager
async def snapshot(url: str) -> AsyncIterator[Database]:
    """A SQLite database whose contents are those of `url` now.

    The original is only read, in one go, so that however long the snapshot takes it holds up nobody. Raises
    `Failure` where the original cannot be read.
    """
    target = database_url(url)
    with tempfile.TemporaryDirectory(prefix="freshness-snapshot-") as folder:
        copy = f"{folder}/copy.db"
        if target.get_backend_name() == "sqlite":
            try:
                await asyncio.to_thread(_back_up, target.database, copy)
            except sqlite3.Error as error:
                raise cannot_be_opened(target, error) from error
            rows: Mapping[str, Sequence[dict[str, Any]]] = {}
        else:
            rows = await _read_all(url)
        database = await open_database(f"sqlite:///{copy}")
        try:
            await _fill(database, rows)
            yield database
        finally:
            await database.close()


def _back_up(original: str | None, copy: str) -> None:
    if original is None or not Path(original).exists():
        return
    with closing(sqlite3.connect(original)) as source, closing(sqlite3.connect(copy)) as into:
        source.backup(into)


async def _read_all(url: str) -> Mapping[str, Sequence[dict[str, Any]]]:
    """All rows by table, from one snapshot; a database that was never opened has none."""
    engine = engine_for(database_url(url))
    try:
        async with opening(engine), engine.connect() as connection:
            await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            return await connection.run_sync(_read_tables)
    finally:
        await engine.dispose()


def _read_tables(connection: Connection) -> Mapping[str, Sequence[dict[str, Any]]]:
    """Reads a table by the columns that it has: an older schema has fewer than ours. Tables of others, which may be
    of types that nobody here knows, are not looked at."""
    ours = {table.name for table in every_table()}
    present = MetaData()
    present.reflect(connection, only=lambda name, _: name in ours, resolve_fks=False)
    return {
        name: [dict(row) for row in connection.execute(select(table)).mappings()]
        for name, table in present.tables.items()
    }


async def _fill(database: Database, rows: Mapping[str, Sequence[dict[str, Any]]]) -> None:
    for table in every_table():
        for chunk in chunks(rows.get(table.name, ())):
            async with database.transaction() as connection:
                await connection.execute(insert(table), list(chunk))
