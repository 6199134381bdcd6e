"""Many rows read at once, where one that cannot be read must not keep the others from being used."""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, TypeVar

import structlog

T = TypeVar("T")

log = structlog.get_logger()


def readable(rows: Iterable[Any], read: Callable[[Any], T], name: Callable[[Any], str]) -> list[T]:
    """What `read` makes of each row; one that it raises at is left out, and named in the log once."""
    found: list[T] = []
    for row in rows:
        try:
            found.append(read(row))
        except Exception as error:
            say_once(name(row), f"{type(error).__name__}: {error}"[:500])
    return found


@lru_cache(maxsize=1000)
def say_once(row: str, error: str) -> None:
    """These rows are looked at every few seconds."""
    log.error("row cannot be read", row=row, error=error)
