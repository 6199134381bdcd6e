"""Frozen values to JSON columns and back, and many rows read at once: one that cannot be read spoils no other."""

import json
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Row

from bot.domain.failure import Failure, Trouble
from bot.domain.log import log
from bot.domain.wording.misfits import misfit
from bot.store.rows.schema import NoMoment

T = TypeVar("T")


class NoJson:
    """Stands for text in a JSON column that is none: a row with it can be fetched beside others, but not loaded."""


def parse(text: str) -> Any:
    """Decodes the JSON in a column, for the driver."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return NoJson()


def dump(value: Any, kind: Any) -> Any:
    """Turns `value`, which is a `kind`, into plain JSON values."""
    return _adapter(kind).dump_python(value, mode="json")


class JsonText(str):
    """What a JSON column is to hold, as text already."""

    __slots__ = ()


@lru_cache(maxsize=4096)
def dump_text(value: Any, kind: Any) -> JsonText:
    """The text of what `dump` gives: a fleet asks for the same few values in thousands of rows."""
    return JsonText(json.dumps(dump(value, kind)))


def unparse(value: Any) -> str:
    """Encodes the text of a JSON column, for the driver."""
    return value if isinstance(value, JsonText) else json.dumps(value)


def load(data: Any, kind: type[T]) -> T:
    """The value that `dump` made these plain ones of; raises `Failure` where they are not of that kind."""
    return _load_by(_adapter(cast(Any, kind)).validator.validate_python, data, kind)


def load_text(text: str, kind: type[T]) -> T:
    """Decodes from the text of a JSON column, which is twice as fast where there are many rows."""
    return _load_by(_adapter(cast(Any, kind)).validator.validate_json, text, kind)


@lru_cache(maxsize=4096)
def load_shared(text: str, kind: type[T]) -> T:
    """Decodes a text once for all rows that hold the same, as thousands of a fleet do."""
    return load_text(text, kind)


def _load_by(validate: Callable[[Any], Any], data: Any, kind: type[T]) -> T:
    try:
        return cast(T, validate(data))
    except ValidationError as error:
        problem = f"a stored {getattr(kind, '__name__', kind)} cannot be read: {misfit(error)}"
        raise Failure(Trouble.MALFORMED, problem, advice="restore the row from a backup, or delete it") from error


@lru_cache(maxsize=64)
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


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
