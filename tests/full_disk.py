"""A store without room: SQLite refuses to grow its file as on a full disk, with the same error; and disks that are
full."""

import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from bot.store.engine.database import Database

_ALL = 4_294_967_294


@asynccontextmanager
async def without_room(database: Database) -> AsyncIterator[None]:
    """While the body goes on, the file of an SQLite database grows no more; what fits into it still does."""
    most = _ALL

    def limit(connection: Any, *_: Any) -> None:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA max_page_count={most}")
        cursor.close()

    event.listen(database.engine.sync_engine.pool, "checkout", limit)
    async with database.transaction() as connection:
        most = int(await connection.scalar(text("SELECT page_count FROM pragma_page_count")) or 0)
    try:
        yield
    finally:
        most = _ALL


@contextmanager
def small_disk(folder: Path, mebibytes: int) -> Iterator[Path]:
    """A file system of this size on a new folder. Skips with the reason where it cannot be mounted."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a file system")
    folder.mkdir(parents=True)
    options = f"size={mebibytes}m,mode=0777"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "small", folder], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(folder: Path) -> Path:
    """Takes all the room that is left where the folder lies, and returns the file that holds it."""
    path = folder / "filled"
    with path.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            with suppress(OSError):
                while True:
                    file.write(bytes(size))
    return path
