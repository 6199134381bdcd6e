"""New databases with their tables and nothing in them: copies of one that was migrated once in this process."""

import asyncio
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from bot.store.engine.database import open_database


async def migrate(url: str) -> None:
    await (await open_database(url)).close()


def new_sqlite(path: Path) -> str:
    """The URL of a new SQLite database in that file."""
    path.write_bytes(_template())
    return f"sqlite:///{path}"


def sqlite_at(path: Path) -> str:
    """The URL of the SQLite database in that file; where there is none, of a new one."""
    return f"sqlite:///{path}" if path.exists() else new_sqlite(path)


@cache
def _template() -> bytes:
    """Made in a thread of its own, since who asks for it may be in an event loop."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(1) as alone:
        path = Path(folder) / "template.db"
        alone.submit(asyncio.run, migrate(f"sqlite:///{path}")).result()
        return path.read_bytes()
