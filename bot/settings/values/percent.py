"""Shares as operators write them."""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema


def _percent(value: Any) -> float:
    if isinstance(value, float):
        raise ValueError("write a percentage, for example 20%")
    found = re.fullmatch(r"\s*([0-9]{1,3})\s*%\s*", str(value))
    if found is None or int(found[1]) > 100:
        raise ValueError("write a percentage, for example 20%")
    return int(found[1]) / 100


Percent = Annotated[
    float,
    BeforeValidator(_percent),
    PlainSerializer(lambda value: f"{round(value * 100)}%", return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\s*[0-9]{1,3}\s*%\s*$", "examples": ["20%"]}),
]
