"""A clock that was a year ahead for one pass: what it has dated is due once the clock is right again."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Table, event, insert, select, text

from bot.domain.clock import AHEAD
from bot.domain.rollouts.rebuild import RebuildState
from bot.store.engine.database import Database
from bot.store.engine.queue.claiming import LONGEST_LEASE, Worker, claim
from bot.store.engine.queue.leases import leased_tables
from bot.store.rows.bases.tables import bases
from bot.store.rows.rollouts.tables import rebuilds
from bot.store.rows.schema import Noted, due_of
from bot.store.rows.tables import tasks
from tests.integration.store.any_rows import any_row
from tests.integration.store.conftest import NOON, ON_BOTH

DAY = timedelta(days=1)
YEAR = timedelta(days=365)
EVERY_TABLE = pytest.mark.parametrize("table", leased_tables(), ids=str)
WITH_NOTES = [table for table in leased_tables() if any(isinstance(each.type, Noted) for each in table.columns)]
SECOND = timedelta(seconds=1)
pytestmark = ON_BOTH


async def add(database: Database, table: Table, due_at: datetime, **values: Any) -> Any:
    async with database.transaction() as connection:
        return await any_row(connection, table, NOON, due_at=due_at, **values)


async def taken(database: Database, table: Table, worker: Worker | None = None) -> list[Any]:
    async with database.transaction() as connection:
        return [row["id"] for row in await claim(connection, table, worker or Worker("me"), NOON, limit=9)]


@EVERY_TABLE
async def test_what_a_clock_that_was_ahead_has_dated_is_due(database: Database, table: Table) -> None:
    row = await add(database, table, NOON + YEAR)
    assert await taken(database, table) == [row]


@EVERY_TABLE
async def test_what_its_own_schedule_has_dated_is_not_due_before(database: Database, table: Table) -> None:
    await add(database, table, NOON + due_of(table).furthest)
    assert await taken(database, table) == []


@EVERY_TABLE
async def test_what_waits_as_long_as_a_server_may_ask_for_is_not_due_before(
    database: Database, table: Table
) -> None:
    await add(database, table, NOON + DAY)
    assert await taken(database, table) == []


@EVERY_TABLE
async def test_a_lease_that_is_further_ahead_than_any_lasts_holds_nothing(database: Database, table: Table) -> None:
    held = {"lease_owner": "ahead", "lease_until": NOON + YEAR}
    row = await add(database, table, NOON + YEAR, **held)
    assert await taken(database, table) == [row]


@pytest.mark.parametrize("table", WITH_NOTES, ids=str)
@pytest.mark.parametrize(
    ("ahead", "counts_as"),
    [(YEAR, NOON), (AHEAD + SECOND, NOON), (AHEAD, NOON + AHEAD), (-DAY, NOON - DAY)],
    ids=["a year", "more than clocks differ", "as far as clocks differ", "past"],
)
async def test_what_a_clock_that_was_ahead_has_noted_counts_as_now_from_the_next_claim_on(
    database: Database, table: Table, ahead: timedelta, counts_as: datetime
) -> None:
    names = [column.name for column in table.columns if isinstance(column.type, Noted)]
    await add(database, table, NOON, **dict.fromkeys(names, NOON + ahead))
    async with database.transaction() as connection:
        [claimed] = await claim(connection, table, Worker("me"), NOON, limit=9)
        [kept] = (await connection.execute(select(table))).mappings().all()
    assert {row[name] for row in (claimed, kept) for name in names} == {counts_as}


async def test_what_nobody_has_noted_yet_stays_so(database: Database) -> None:
    await add(database, rebuilds, NOON)
    async with database.transaction() as connection:
        [row] = await claim(connection, rebuilds, Worker("me"), NOON, limit=9)
    assert row["attempted_at"] is None


@EVERY_TABLE
async def test_a_lease_of_this_time_holds_what_a_clock_that_was_ahead_has_dated(
    database: Database, table: Table
) -> None:
    await add(database, table, NOON + YEAR, lease_owner="other", lease_until=NOON + LONGEST_LEASE)
    assert await taken(database, table) == []


async def test_an_interval_that_the_operator_has_set_is_a_schedule_of_its_own(database: Database) -> None:
    monthly = Worker("me", interval=30 * DAY)
    await add(database, tasks, NOON + 30 * DAY)
    assert await taken(database, tasks, monthly) == []
    row = await add(database, tasks, NOON + YEAR, name="ahead")
    assert await taken(database, tasks, monthly) == [row]


async def test_what_is_due_comes_before_what_a_clock_that_was_ahead_has_dated(database: Database) -> None:
    ahead = await add(database, tasks, NOON + YEAR, name="ahead")
    due = await add(database, tasks, NOON, name="due")
    async with database.transaction() as connection:
        assert [row["id"] for row in await claim(connection, tasks, Worker("me"), NOON, limit=1)] == [due]
    assert await taken(database, tasks) == [ahead]


async def test_a_rebuild_that_waits_for_its_window_or_for_the_end_of_a_freeze_keeps_its_date(
    database: Database,
) -> None:
    await add(database, rebuilds, NOON + YEAR, state=RebuildState.PLANNED.value)
    assert await taken(database, rebuilds) == []


@pytest.mark.parametrize("state", [state for state in RebuildState if state is not RebuildState.PLANNED])
async def test_a_rebuild_that_was_tried_before_keeps_no_date_that_is_a_year_ahead(
    database: Database, state: RebuildState
) -> None:
    row = await add(database, rebuilds, NOON + YEAR, state=state.value)
    assert await taken(database, rebuilds) == [row]


@pytest.mark.parametrize(
    ("due", "asked"), [(0, {"sqlite": 2, "postgresql": 1}), (30, {"sqlite": 1, "postgresql": 1})]
)
async def test_among_thousands_a_claim_asks_by_the_index_and_no_more_often_than_for_what_is_due(
    database: Database, due: int, asked: dict[str, int]
) -> None:
    """SQLite is asked apart for what is odd, once nothing else is due."""
    first = NOON - timedelta(seconds=due - 1)
    known = {"registry": "mcr.example", "repository": "dotnet/aspnet"}
    rows = [{**known, "tag": f"{n}", "due_at": first + timedelta(seconds=n)} for n in range(5000)]
    queries: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        queries.extend([(statement, parameters)] if statement.startswith("SELECT") else [])

    async with database.transaction() as connection:
        await connection.execute(insert(bases), rows)
        await connection.execute(text("ANALYZE"))
    async with database.transaction() as connection:
        event.listen(connection.sync_connection, "before_cursor_execute", note)
        await claim(connection, bases, Worker("me"), NOON, limit=20)
        event.remove(connection.sync_connection, "before_cursor_execute", note)
        assert len(queries) == asked[connection.dialect.name]
        explain = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
        for statement, parameters in queries:
            plan = (await connection.exec_driver_sql(f"{explain} {statement}", parameters)).all()
            assert "ix_bases_due_at" in str(plan)
