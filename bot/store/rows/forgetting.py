"""What is forgotten of a table, and after how long: said beside the table, where its rows are known.

The stage `retention` goes through all that says so, and `docs/stages.md` shows it.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Table, delete
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.engine.writing import chunks, in_lock_order
from bot.store.rows.schema import every_table

UNREFERRED_FOR = timedelta(days=8)
"""Longer than a week, in which every repository is read again and tells anew which files it holds."""

Forget = Callable[[AsyncConnection, datetime], Awaitable[Mapping[str, int]]]
"""Deletes what is older than a moment, with what belongs to it; how many rows went, by the name that is told."""


@dataclass(frozen=True, slots=True, eq=False)
class Forgetting:
    """Which rows of a table are forgotten, in words, and `after` how long; None where the operator sets that."""

    rows: str
    after: timedelta | None
    forget: Forget

    def before(self, now: datetime, retention: timedelta) -> datetime:
        """What is older than this is forgotten; `retention` is what the operator sets."""
        return now - (retention if self.after is None else self.after)


def forgets(table: Table, rows: str, after: timedelta | None) -> Callable[[Forget], Forget]:
    """Has a function forget rows of a table, once a day."""

    def declare(forget: Forget) -> Forget:
        table.info["forgetting"] = Forgetting(rows, after, forget)
        return forget

    return declare


def forgetting_of(table: Table) -> Forgetting | None:
    """What is forgotten of a table by its age; None where nobody has said so."""
    return table.info.get("forgetting")


def every_forgetting() -> tuple[Forgetting, ...]:
    """What is forgotten of all tables, in the order in which their rows are locked."""
    tables = in_lock_order(every_table())
    return tuple(forgetting for table in tables if (forgetting := forgetting_of(table)) is not None)


async def delete_rows(connection: AsyncConnection, table: Table, column: str, values: Collection[Any]) -> int:
    """Deletes the rows that have one of these values; how many went."""
    deleted = 0
    for chunk in chunks(sorted(values)):
        deleted += (await connection.execute(delete(table).where(table.c[column].in_(chunk)))).rowcount
    return deleted
