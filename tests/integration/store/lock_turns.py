"""Of which tables each transaction of the bot locks rows, in the order in which it comes to them.

Rows are locked by what changes them, and by `SELECT ... FOR UPDATE`; a row that is inserted is waited for only
where another may have its key. SQLite does not lock rows: there the functions that would are noted.
"""

import re
import sys
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import wraps
from typing import Any

import pytest
from sqlalchemy import Table, event
from sqlalchemy.engine import Engine
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.engine import counters, writing
from bot.store.engine.database import Database
from bot.store.rows.tables import outbox

Turns = tuple[str, ...]

_KEY = "tables locked"
_WRITES = re.compile(r"^(?:UPDATE|DELETE FROM) ([a-z_]+)|^INSERT INTO ([a-z_]+)\b.* ON CONFLICT", re.DOTALL)
_LOCKS = re.compile(r"\bFROM ([a-z_]+)\b.* FOR (?:NO KEY )?UPDATE", re.DOTALL)
_PLAIN = (writing.lock, writing.lock_where, writing.lock_production, counters.hold_counter)
"""What SQLite does without."""


def note_locks(monkeypatch: pytest.MonkeyPatch) -> set[Turns]:
    """The turns of all transactions that the bot begins from now on, each as it ends."""
    taken: set[Turns] = set()
    begin = Database.transaction

    def transaction(database: Database) -> AbstractAsyncContextManager[AsyncConnection]:
        is_of_a_test = "/tests/" in sys._getframe(1).f_code.co_filename
        return begin(database) if is_of_a_test else _noted(begin(database), taken)

    monkeypatch.setattr(Database, "transaction", transaction)
    for module in [module for name, module in sys.modules.items() if name.startswith("bot.")]:
        for function in _PLAIN:
            if getattr(module, function.__name__, None) is function:
                monkeypatch.setattr(module, function.__name__, _noting(function))
    return taken


def out_of_order(taken: Collection[Turns]) -> set[tuple[str, str]]:
    """Each two of which a transaction has locked the first before the second, though it comes after that.

    Whoever raises the counter of plans and releases may announce messages before it is through with all else: such
    transactions come one after another, and the messages are theirs, or of rollouts that they have locked.
    """
    places = {name: place for place, name in enumerate(writing.lock_order())}
    of_plans = counters.COUNTER_LOCKS[counters.PLANS]
    known = [
        [name for name in turns if name in places and (name != outbox.name or of_plans not in turns)]
        for turns in taken
    ]
    pairs = {(one, other) for turns in known for place, one in enumerate(turns) for other in turns[place + 1 :]}
    return {(one, other) for one, other in pairs if places[one] > places[other]}


@asynccontextmanager
async def _noted(
    begun: AbstractAsyncContextManager[AsyncConnection], taken: set[Turns]
) -> AsyncIterator[AsyncConnection]:
    async with begun as connection:
        turns: dict[str, None] = {}
        connection.sync_connection.info[_KEY] = turns  # type: ignore[union-attr]
        try:
            yield connection
        finally:
            connection.sync_connection.info.pop(_KEY, None)  # type: ignore[union-attr]
            taken.add(tuple(turns))


def _noting(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    async def locks(connection: AsyncConnection, *args: Any, **kwargs: Any) -> Any:
        turns = connection.sync_connection.info.get(_KEY)  # type: ignore[union-attr]
        if turns is not None and connection.dialect.name == "sqlite":
            turns.setdefault(_turn(function, args))
        return await function(connection, *args, **kwargs)

    return locks


def _turn(function: Callable[..., Any], args: tuple[Any, ...]) -> str:
    if not args:
        return writing.PRODUCTION
    [held, *_] = args
    return held.name if isinstance(held, Table) else counters.COUNTER_LOCKS.get(held, "")


@event.listens_for(Engine, "before_cursor_execute")
def _note(connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
    turns = connection.info.get(_KEY)
    if turns is None:
        return
    if "pg_advisory_xact_lock" in statement:
        turns.setdefault(writing.PRODUCTION)
    written = [name for names in _WRITES.findall(statement) for name in names if name]
    for table in [*_LOCKS.findall(statement), *written]:
        if table != "counters":
            turns.setdefault(table)
        else:
            values = parameters.values() if isinstance(parameters, dict) else parameters
            turns |= {counters.COUNTER_LOCKS[value]: None for value in values if value in counters.COUNTER_LOCKS}
