"""Stores as earlier versions have left them, from what `dumps/` holds of them for each database."""

import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg

DUMPS = Path(__file__).parent / "dumps"


def restore(revision: str, url: str) -> None:
    """Fills the empty database with the store of that revision."""
    engine = url.partition(":")[0]
    dump = (DUMPS / f"{revision}.{engine}.sql").read_text(encoding="utf-8")
    if engine == "postgresql":
        with psycopg.connect(url) as connection:
            connection.execute(dump.encode())
        return
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file:
        file.executescript(dump)
