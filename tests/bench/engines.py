"""A bench on both databases, each with a store of its own, and what fills one."""

import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Table, insert

from bot.store.engine.database import Database
from bot.store.engine.writing import chunks
from sandbox.programs.postgres import PostgresServer
from tests.bench.measured import Measured


async def on_both(measured: Callable[[str, str], Awaitable[list[Measured]]]) -> list[Measured]:
    """What is measured on an engine, given with its name and the address of an empty store, on SQLite and
    PostgreSQL."""
    rows: list[Measured] = []
    with tempfile.TemporaryDirectory() as folder:
        rows += await measured("SQLite", f"sqlite:///{Path(folder)}/store.db")
    async with PostgresServer() as server:
        rows += await measured("PostgreSQL", server.create_database())
    return rows


async def write_rows(database: Database, table: Table, rows: list[dict[str, Any]]) -> None:
    """Adds rows to a table, some thousand to a statement."""
    async with database.transaction() as connection:
        for chunk in chunks(rows, 5_000):
            await connection.execute(insert(table), chunk)
