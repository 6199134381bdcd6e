"""Frozen values to JSON columns and back."""

from functools import lru_cache
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter

T = TypeVar("T")


def dump(value: Any, kind: Any) -> Any:
    """Plain JSON values of `value`, which is a `kind`."""
    return _adapter(kind).dump_python(value, mode="json")


def load(data: Any, kind: type[T]) -> T:
    return cast(T, _adapter(cast(Any, kind)).validate_python(data))


@lru_cache(maxsize=64)
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
