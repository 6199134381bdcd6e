"""Statements to SQLite run where they are asked for, not in a thread for each connection.

The driver hands each statement to its thread and waits to be woken, since SQLite may wait for a lock. Tests ask
thousands a second that wait for nothing, and handing over took a quarter of their time.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from aiosqlite import Connection

MAY_WAIT = ("BEGIN IMMEDIATE", "PRAGMA", "VACUUM")
"""For another writer, who may need this event loop to come to its end."""

in_thread: Any = Connection._execute
"""As the driver has it, for tests of what its thread is needed for."""


def run_at_once() -> None:
    """From now on in this process. The event loop gets its turn before each statement, as it does with threads.

    SQLAlchemy asks for connections to files that may be used in more than one thread.
    """
    Connection._execute = _execute  # type: ignore[method-assign, assignment]


async def _execute(connection: Connection, work: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """What may wait has the driver's thread, and so has what is asked while that is at work, and after the end."""
    waiting: set[object] = connection.__dict__.setdefault("_waiting", set())
    statement = args[0] if args and isinstance(args[0], str) else ""
    is_open = connection._running and connection._connection is not None
    if is_open and not waiting and not statement.startswith(MAY_WAIT) and work != connection._conn.close:
        await asyncio.sleep(0)
        return work(*args, **options)
    asked = object()
    waiting.add(asked)

    def done() -> Any:
        try:
            return work(*args, **options)
        finally:
            waiting.discard(asked)

    return await in_thread(connection, done)
