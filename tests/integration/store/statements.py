"""What a database is told while something goes on: few statements, however many rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine


@contextmanager
def statements(engine: AsyncEngine) -> Iterator[list[str]]:
    """What the database is told within."""
    told: list[str] = []

    def note(_1: Any, _2: Any, statement: str, *_: Any) -> None:
        told.append(statement)

    event.listen(engine.sync_engine, "before_cursor_execute", note)
    try:
        yield told
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", note)
