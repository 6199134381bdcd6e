"""Numbers as operators write them: in decimal, and nothing that only happens to count as one."""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator

_WHOLE = re.compile(r"[+-]?(0|[1-9][0-9]{0,30})", re.ASCII)
_DECIMAL = re.compile(r"[+-]?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?", re.ASCII)


def _whole(value: Any) -> Any:
    """The environment has text alone; what else is no number is told by its type."""
    if isinstance(value, bool | float) or (isinstance(value, str) and not _WHOLE.fullmatch(value)):
        raise ValueError(f"expected a whole number, found {_told(value)}")
    return int(value) if isinstance(value, str) else value


def _decimal(value: Any) -> Any:
    if isinstance(value, bool) or (isinstance(value, str) and not _DECIMAL.fullmatch(value)):
        raise ValueError(f"expected a number, found {_told(value)}")
    return value


def _told(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case float():
            return f"{value}"[:20]
        case _:
            return "text"


WholeNumber = Annotated[int, BeforeValidator(_whole)]
Number = Annotated[float, BeforeValidator(_decimal)]
