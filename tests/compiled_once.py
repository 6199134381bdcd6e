"""What SQLAlchemy makes of a statement is made once in a process, not again for each database that a test opens.

The bot opens one database and keeps the texts of its statements with it. Tests open a thousand, with the same
statements; to write these anew took a quarter of the time of the store's tests.
"""

from typing import Any

from sqlalchemy.dialects.postgresql.psycopg import PGDialectAsync_psycopg
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite
from sqlalchemy.engine import Engine
from sqlalchemy.util import LRUCache

STATEMENTS = 5_000


def compile_once(statements: int = STATEMENTS) -> None:
    """From now on the bot's engines of one kind share what they have compiled, of so many statements."""
    shared: LRUCache[Any, Any] = LRUCache(statements)
    for dialect in (SQLiteDialect_aiosqlite, PGDialectAsync_psycopg):
        dialect.__eq__ = _is_like  # type: ignore[method-assign]
        dialect.__hash__ = lambda dialect: hash(_traits(dialect))  # type: ignore[method-assign, assignment]
    own = "_own_compiled_cache"

    def cache(engine: Engine) -> Any:
        is_bots = isinstance(engine.dialect, SQLiteDialect_aiosqlite | PGDialectAsync_psycopg)
        return shared if is_bots else engine.__dict__.get(own)

    cached: Any = property(cache, lambda engine, value: engine.__dict__.__setitem__(own, value))
    Engine._compiled_cache = cached


def _traits(dialect: Any) -> tuple[Any, ...]:
    """What of a dialect a compiled statement depends on; it keeps how values are written and read."""
    return type(dialect), dialect._json_serializer, dialect._json_deserializer


def _is_like(dialect: Any, other: Any) -> bool:
    return type(dialect) is type(other) and _traits(dialect) == _traits(other)
