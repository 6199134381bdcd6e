"""Claiming due rows: no row is worked on twice at once, and none is lost."""

import asyncio
import random
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import RowMapping, insert, select

from bot.domain.failure import LeaseLost
from bot.store.engine.database import Database
from bot.store.engine.queue.claiming import Worker, claim, give_back, settle
from bot.store.rows.tables import tasks
from tests.children import started
from tests.integration.store.conftest import NOON

LEASE = timedelta(minutes=10)
ROOT = Path(__file__).resolve().parents[4]


async def add(database: Database, number: int) -> None:
    """Rows due one minute apart, the first at noon; the last one now."""
    async with database.transaction() as connection:
        rows = [{"name": f"task {n}", "due_at": NOON - timedelta(minutes=n)} for n in range(number)]
        await connection.execute(insert(tasks), rows)


async def take(
    database: Database, worker: Worker, limit: int = 1, after: timedelta = timedelta(0)
) -> list[RowMapping]:
    async with database.transaction() as connection:
        return await claim(connection, tasks, worker, NOON + after, limit=limit)


async def finish(database: Database, worker: Worker, row: int, *, succeeded: bool = True) -> None:
    async with database.transaction() as connection:
        await settle(
            connection, tasks, worker, row, due_at=NOON + timedelta(days=1), succeeded=succeeded, values={}
        )


async def rows_of(database: Database) -> list[RowMapping]:
    async with database.transaction() as connection:
        return list((await connection.execute(select(tasks).order_by(tasks.c.id))).mappings().all())


async def test_the_row_that_is_due_longest_comes_first(database: Database) -> None:
    await add(database, 5)
    assert [row["name"] for row in await take(database, Worker("a"), 2)] == ["task 4", "task 3"]


async def test_a_row_that_is_not_due_is_not_taken(database: Database) -> None:
    await add(database, 1)
    assert await take(database, Worker("a"), after=-timedelta(seconds=1)) == []


async def test_a_taken_row_is_nobody_elses_until_its_lease_runs_out(database: Database) -> None:
    await add(database, 1)
    assert len(await take(database, Worker("killed", LEASE))) == 1
    assert await take(database, Worker("b"), after=LEASE - timedelta(seconds=1)) == []
    again = await take(database, Worker("b"), after=LEASE)
    assert [(row["lease_owner"], row["attempts"]) for row in again] == [("b", 2)]


async def test_whoever_lost_the_lease_writes_nothing(database: Database) -> None:
    await add(database, 1)
    slow, quick = Worker("slow", LEASE), Worker("quick", LEASE)
    row = (await take(database, slow))[0]["id"]
    await take(database, quick, after=LEASE)
    before = await rows_of(database)
    with pytest.raises(LeaseLost, match="slow"):
        await finish(database, slow, row)
    assert await rows_of(database) == before


async def test_what_was_written_with_a_lost_lease_is_undone_with_it(database: Database) -> None:
    await add(database, 1)

    async def write() -> None:
        async with database.transaction() as connection:
            await connection.execute(insert(tasks).values(name="on the way", due_at=NOON))
            await settle(connection, tasks, Worker("nobody"), 1, due_at=NOON)

    with pytest.raises(LeaseLost):
        await write()
    assert [row["name"] for row in await rows_of(database)] == ["task 0"]


async def test_attempts_count_until_one_succeeds(database: Database) -> None:
    await add(database, 1)
    worker = Worker("a")
    for expected, succeeded in ((1, False), (2, False), (3, True), (1, True)):
        row = (await take(database, worker, after=timedelta(days=2)))[0]
        assert row["attempts"] == expected
        await finish(database, worker, row["id"], succeeded=succeeded)


async def test_given_back_rows_are_free_and_their_attempt_does_not_count(database: Database) -> None:
    await add(database, 3)
    worker = Worker("a")
    await take(database, worker, 2)
    async with database.transaction() as connection:
        assert await give_back(connection, tasks, worker) == 2
    assert [row["attempts"] for row in await take(database, Worker("b"), 3)] == [1, 1, 1]


async def test_rows_given_back_for_a_dead_worker_count_their_attempt(database: Database) -> None:
    await add(database, 1)
    await take(database, Worker("dead"))
    async with database.transaction() as connection:
        await give_back(connection, tasks, Worker("dead"), attempted=True)
    assert (await take(database, Worker("b")))[0]["attempts"] == 2


async def test_a_draining_worker_takes_nothing_more_and_may_still_finish(database: Database) -> None:
    await add(database, 2)
    worker = Worker("a")
    row = (await take(database, worker))[0]["id"]
    worker.draining.set()
    assert await take(database, worker) == []
    await finish(database, worker, row)


@pytest.mark.parametrize("seed", range(3))
async def test_workers_at_the_same_time_never_get_the_same_row(database: Database, seed: int) -> None:
    await add(database, 40)
    order = random.Random(seed)
    taken: Counter[int] = Counter()

    async def work(worker: Worker, limit: int) -> None:
        while rows := await take(database, worker, limit):
            taken.update(row["id"] for row in rows)
            await asyncio.gather(*(finish(database, worker, row["id"]) for row in rows))

    await asyncio.gather(*(work(Worker(f"w{number}"), order.randint(1, 5)) for number in range(6)))
    assert taken == Counter(range(1, 41))


async def test_a_killed_workers_rows_are_all_done_by_the_others(database: Database) -> None:
    await add(database, 20)
    kept = [row["id"] for row in await take(database, Worker("killed", LEASE), 7)]
    others = [row["id"] for row in await take(database, Worker("b", timedelta(hours=1)), 20)]
    assert set(kept).isdisjoint(others)
    late = [row["id"] for row in await take(database, Worker("c"), 20, after=LEASE)]
    assert sorted(late) == sorted(kept)


async def test_processes_share_the_rows_and_each_is_done_once(database: Database, url: str) -> None:
    await add(database, 60)
    worker = (sys.executable, "-m", "tests.integration.store.claiming", url)
    commands = [(*worker, name, NOON.isoformat()) for name in ("one", "two", "three")]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with started(*commands, cwd=ROOT, **pipes) as workers:
        outputs = [await asyncio.to_thread(worker.communicate, timeout=150) for worker in workers]
    assert [errors for _, errors in outputs] == ["", "", ""]
    done = Counter(int(line) for said, _ in outputs for line in said.split())
    assert done == Counter(range(1, 61))
