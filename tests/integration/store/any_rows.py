"""A row of any table, with whatever it refers to: for what holds of all tables alike."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, Column, DateTime, Integer, LargeBinary, Table, TypeDecorator, insert
from sqlalchemy.ext.asyncio import AsyncConnection


async def any_row(connection: AsyncConnection, table: Table, at: datetime, **values: Any) -> Any:
    """Inserts one row of which only `values` matter, and rows for what it refers to; what its key holds."""
    made = {
        column.name: await _value(connection, column, at)
        for column in table.columns
        if column.name not in values and not _may_be_left_out(column)
    }
    key = next(iter(table.primary_key))
    return (await connection.execute(insert(table).values(**made, **values).returning(key))).scalar_one()


def _may_be_left_out(column: Column[Any]) -> bool:
    return column.nullable or column.server_default is not None or column is column.table.autoincrement_column


async def _value(connection: AsyncConnection, column: Column[Any], at: datetime) -> Any:
    if column.foreign_keys:
        (key,) = column.foreign_keys
        return await any_row(connection, key.column.table, at)
    kind = column.type.impl_instance if isinstance(column.type, TypeDecorator) else column.type
    match kind:
        case JSON():
            return {}
        case LargeBinary():
            return b""
        case DateTime():
            return at
        case Boolean():
            return False
        case Integer():
            return 0
        case _:
            return "x"
