"""The order of locks follows from what stands beside tables: no table is without a turn."""

from graphlib import CycleError

import pytest
from sqlalchemy import Column, ForeignKey, MetaData, Table

from bot.store.engine.writing import PRODUCTION, lock_order, ordered
from bot.store.rows.schema import every_table, key_column, lease_columns, what_is_locked_after


def made_up() -> list[Table]:
    """Houses, doors that refer to them, and tenants that refer to both; in no order."""
    metadata = MetaData()
    to_house, to_door = ForeignKey("houses.id"), ForeignKey("doors.id")
    Table("tenants", metadata, Column("house_id", to_house), Column("door_id", to_door), *lease_columns())
    Table("doors", metadata, key_column(), Column("house_id", ForeignKey("houses.id")))
    Table("houses", metadata, key_column(), *lease_columns())
    return list(metadata.tables.values())


def test_a_table_comes_after_those_that_it_refers_to() -> None:
    assert ordered(made_up(), {}) == ("houses", "doors", "tenants")


def test_what_is_said_beside_a_table_counts_also_against_what_refers_to_it() -> None:
    assert ordered(made_up(), {"houses": ["doors"]}) == ("doors", "houses", "tenants")


def test_a_lock_on_no_table_has_its_turn_too() -> None:
    assert ordered(made_up(), {"the street": ["houses"], "doors": ["the street"]}) == (
        *("houses", "the street", "doors", "tenants"),
    )


def test_what_cannot_be_put_in_an_order_is_refused() -> None:
    with pytest.raises(CycleError):
        ordered(made_up(), {"houses": ["doors"], "doors": ["houses"]})


def test_every_table_has_one_turn() -> None:
    turns = lock_order()
    assert len(set(turns)) == len(turns)
    assert {table.name for table in every_table()} <= set(turns)


def test_whatever_is_named_beside_a_table_is_there() -> None:
    said = what_is_locked_after()
    beside_tables = {PRODUCTION, *said.keys()} - {table.name for table in every_table()}
    named = {name for names in said.values() for name in names}
    assert named - {table.name for table in every_table()} <= beside_tables
