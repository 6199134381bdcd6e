"""What one question tells of news: writes of anybody, and rows that fell due since it was asked last."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import insert, update

from bot.domain.failure import Failure, Trouble
from bot.store.engine.database import open_database
from bot.store.engine.queue.claiming import Worker, claim
from bot.store.engine.queue.leases import leased_tables
from bot.store.engine.queue.news import EVERYTHING, Newsboard, StoreNews, question
from bot.store.rows.tables import outbox, tasks
from tests.integration.store.filling import HOUR, Stores
from tests.migrated import new_sqlite

NOTHING = StoreNews(was_written=False)
SECOND = timedelta(seconds=1)


@pytest_asyncio.fixture
async def board(stores: Stores) -> AsyncIterator[Newsboard]:
    """One that was asked, after a task was written that is due in an hour."""
    async with stores.database.transaction() as connection:
        await connection.execute(insert(tasks).values(name="look", due_at=stores.clock.now() + HOUR))
    board = Newsboard(stores.database)
    assert await board.news(stores.clock.now()) == EVERYTHING
    yield board
    await board.aclose()


async def test_where_nobody_wrote_and_nothing_fell_due_there_is_no_news(board: Newsboard, stores: Stores) -> None:
    assert await board.news(stores.clock.now()) == NOTHING
    assert await board.news(stores.clock.advance(HOUR - SECOND)) == NOTHING


async def test_what_falls_due_is_told_once(board: Newsboard, stores: Stores) -> None:
    assert await board.news(stores.clock.advance(HOUR)) == StoreNews(was_written=False, due=frozenset({"tasks"}))
    assert await board.news(stores.clock.advance(SECOND)) == NOTHING


async def test_a_write_is_told_once(board: Newsboard, stores: Stores) -> None:
    async with stores.database.transaction() as connection:
        await connection.execute(update(tasks).values(mark="x"))
    assert (await board.news(stores.clock.now())).was_written
    assert await board.news(stores.clock.now()) == NOTHING


async def test_the_write_of_another_process_is_told(board: Newsboard, stores: Stores) -> None:
    url = stores.database.engine.url.render_as_string(hide_password=False)
    another = await open_database(url)
    async with another.transaction() as connection:
        await connection.execute(update(tasks).values(mark="x"))
    await another.close()
    assert (await board.news(stores.clock.now())).was_written


async def test_a_write_is_told_when_it_is_committed(board: Newsboard, stores: Stores) -> None:
    async with stores.database.transaction() as connection:
        await connection.execute(update(tasks).values(mark="x"))
        await board.news(stores.clock.now())
    assert (await board.news(stores.clock.now())).was_written


async def test_a_claim_that_finds_nothing_is_no_news(board: Newsboard, stores: Stores) -> None:
    async with stores.database.transaction() as connection:
        assert await claim(connection, outbox, Worker("w"), stores.clock.now(), limit=10) == []
        assert await claim(connection, tasks, Worker("w"), stores.clock.now(), limit=10) == []
    assert await board.news(stores.clock.now()) == NOTHING


async def test_whatever_is_not_known_counts_as_news(board: Newsboard, stores: Stores) -> None:
    assert await board.news(stores.clock.now() - HOUR) == EVERYTHING
    await board.aclose()
    assert await board.news(stores.clock.now()) == EVERYTHING


async def test_a_database_that_does_not_answer_counts_as_news_until_it_does(
    board: Newsboard, stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused() -> None:
        raise Failure(Trouble.UNREACHABLE, "the database does not answer")

    monkeypatch.setattr(stores.database, "reader", refused)
    await board.aclose()
    assert await board.news(stores.clock.now()) == EVERYTHING
    monkeypatch.undo()
    assert await board.news(stores.clock.now()) == EVERYTHING
    assert await board.news(stores.clock.now()) == NOTHING


async def test_the_question_reads_no_table_but_by_its_index_of_due_times(tmp_path: Path) -> None:
    database = await open_database(new_sqlite(tmp_path / "store.db"))
    asked = question("sqlite").compile(dialect=database.engine.dialect)
    given = tuple("2026-03-10" if name.startswith(("since", "now")) else 1 for name in asked.positiontup or ())
    async with database.reading() as connection:
        plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}", given)
        steps = [row.detail for row in plan if row.detail.split()[1] in {table.name for table in leased_tables()}]
    await database.close()
    assert len(steps) == len(leased_tables())
    assert [step for step in steps if not step.startswith("SEARCH") or "due_at>? AND due_at<?" not in step] == []
