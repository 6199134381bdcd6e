"""Many rows read at once, where one that cannot be read must not keep the others from being used."""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import Row

from bot.domain.failure import Failure, Trouble
from bot.domain.log import log
from bot.store.rows.columns import NoMoment

T = TypeVar("T")


_ROWS = (Row, Mapping)


def readable(rows: Iterable[Any], read_row: Callable[[Any], T], name: Callable[[Any], str]) -> list[T]:
    """What `read_row` makes of each row; one that it raises at is left out, and named in the log once."""
    items: list[T] = []
    for row in rows:
        try:
            if isinstance(row, _ROWS):
                check_moments(row)
            items.append(read_row(row))
        except Exception as error:
            say_once(name(row), f"{type(error).__name__}: {error}"[:500])
    return items


def check_moments(row: Row[Any] | Mapping[str, Any]) -> None:
    """Raises `Failure` where a date column of the row holds no date, whether it is read or not."""
    if NoMoment not in map(type, row if isinstance(row, Row) else row.values()):
        return
    names = row._mapping if isinstance(row, Row) else row
    columns = ", ".join(str(name) for name, each in names.items() if isinstance(each, NoMoment))
    raise Failure(
        Trouble.MALFORMED,
        f"a stored row cannot be read: {columns} holds no date",
        advice="restore the row from a backup, or delete it",
    )


@lru_cache(maxsize=1000)
def say_once(row: str, error: str) -> None:
    """Logs a row that cannot be read once in a process: such rows are looked at every few seconds."""
    log.error("row cannot be read", row=row, error=error)
