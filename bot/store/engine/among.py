"""Conditions on many values that are one parameter."""

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, any_, cast, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection


def is_among(connection: AsyncConnection, column: ColumnElement[Any], values: Iterable[Any]) -> ColumnElement[bool]:
    """Whether a column is one of these whole numbers or texts.

    However many there are, the statement is the same, so that it is put together and planned no longer for
    thousands than for one.
    """
    listed = list(values)
    if connection.dialect.name == "postgresql":
        return column == any_(cast(literal(listed, ARRAY(column.type)), ARRAY(column.type)))
    each = func.json_each(literal(json.dumps(listed))).table_valued("value")
    return column.in_(select(each.c.value))
