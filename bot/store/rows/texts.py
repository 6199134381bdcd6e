"""The column types of texts, of which most are from outside: what no database takes is met here, on both alike.

PostgreSQL breaks off a statement over a text longer than its column or with a zero character in it, SQLite takes
both, and neither takes half of a surrogate pair. Whoever reads a value bounds it; these are the last to look.
"""

import re
from typing import Any

from sqlalchemy import Column, Dialect, String, Table, Text, TypeDecorator, event
from sqlalchemy.types import TypeEngine

from bot.domain.failure import Failure, Trouble

_IMPOSSIBLE = re.compile("[\x00\ud800-\udfff]")
_SHOWN = 60


class LongText(TypeDecorator[str]):
    """Sentences and paths; a character that cannot be kept is replaced."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return _IMPOSSIBLE.sub("\ufffd", value) if isinstance(value, str) else value


class ShortText(TypeDecorator[str]):
    """Names, versions, digests and states of at most so many characters. A longer one is refused, with the column
    and the text in one line: what it is about fails alone, and cut off it would be another name."""

    impl = String
    cache_ok = True
    place = "a column"

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self._most = length

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if not isinstance(value, str):
            return value
        if len(value) > self._most:
            problem = f"{self.place} takes {self._most} characters, and {value[:_SHOWN]!r}… has {len(value)}"
            raise Failure(Trouble.MALFORMED, problem, advice="nothing of it is kept")
        if _IMPOSSIBLE.search(value):
            problem = f"{self.place} takes no such characters as are in {value[:_SHOWN]!r}"
            raise Failure(Trouble.MALFORMED, problem, advice="nothing of it is kept")
        return value

    def coerce_compared_value(self, op: Any, value: Any) -> TypeEngine[Any]:
        """What is looked for may be of any length: it is not found."""
        return LongText()


@event.listens_for(Column, "after_parent_attach")
def _name_place(column: Column[Any], table: Table) -> None:
    """Tells the type which column it stands in."""
    if isinstance(column.type, ShortText):
        column.type.place = f"{table.name}.{column.name}"
