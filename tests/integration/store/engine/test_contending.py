"""Replicas on one database: none waits for another that waits for it, and what is broken off is made again."""

import ast
import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import InternalError

from bot.domain.failure import Failure, Trouble
from bot.store.engine.database import Database, open_database, repeated
from bot.store.engine.failures import BrokenOff
from bot.store.rows.images.images import images
from bot.store.rows.tables import tasks
from tests.children import started
from tests.integration.store.conftest import NOON
from tests.integration.store.filling import Stores
from tests.integration.store.moving import someone_waits

ROOT = Path(__file__).resolve().parents[4]
SECONDS = 6


def deadlocks(url: str) -> int:
    """So many the database has broken off, once all who met one have gone."""
    with psycopg.connect(url) as connection:
        asked = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        return int(connection.execute(asked).fetchone()[0])  # type: ignore[index]


async def keep_images(stores: Stores, number: int) -> None:
    await stores.fill()
    async with stores.database.transaction() as connection:
        shared = {"repository_id": 1, "registry": "ghcr.io", "source": "build", "path": "", "line": 1, "tag": "1"}
        rows = [{**shared, "repository": f"contoso/{each}", "due_at": NOON} for each in range(number)]
        await connection.execute(insert(images), rows)


async def cross(stores: Stores, url: str, *how: str) -> None:
    """Two replicas write the same rows, one from the first to the last and the other from the last to the first;
    each has begun before either gets the row in the middle."""
    await keep_images(stores, 9)
    command = [sys.executable, "-m", "tests.integration.store.crossing", url]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with started([*command, "up", *how], [*command, "down", *how], cwd=ROOT, **pipes) as replicas:
        outputs: list[Any] = [replica.stdout for replica in replicas]
        assert [await asyncio.to_thread(output.readline) for output in outputs] == ["ready\n"] * 2
        async with stores.database.transaction() as connection:
            await connection.execute(update(images).where(images.c.repository == "contoso/4").values(tag="2"))
            for replica in replicas:
                print(file=replica.stdin, flush=True)
            await someone_waits(stores, 2)
        assert [await asyncio.to_thread(replica.wait, timeout=60) for replica in replicas] == [0, 0]


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
async def test_two_replicas_that_write_the_same_rows_in_opposite_orders_meet_no_deadlock(
    stores: Stores, url: str
) -> None:
    await cross(stores, url)
    assert deadlocks(url) == 0


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
async def test_without_their_locks_they_would(stores: Stores, url: str) -> None:
    """Else the test before would show nothing."""
    await cross(stores, url, "unlocked")
    assert deadlocks(url) >= 1


@pytest.mark.long
@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
async def test_two_replicas_in_which_every_stage_is_busy_meet_no_deadlock(stores: Stores, url: str) -> None:
    """First they write the same rows in opposite orders, so that it is no matter of chance whether they meet."""
    await cross(stores, url)
    command = [sys.executable, "-m", "tests.integration.store.contending", url]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    names = enumerate(("one", "two"))
    with started(
        *([*command, name, str(seed), str(SECONDS)] for seed, name in names), cwd=ROOT, **pipes
    ) as replicas:
        outputs = [await asyncio.to_thread(replica.communicate, timeout=150) for replica in replicas]
    for _, errors in outputs:
        print(errors, file=sys.stderr)
        assert errors == "", errors.splitlines()[-1]
    for said, _ in outputs:
        idle = [stage for stage, done in ast.literal_eval(said).items() if done == 0]
        assert idle == []
    assert deadlocks(url) == 0


async def two_tasks(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(insert(tasks), [{"name": name, "due_at": NOON} for name in ("one", "two")])


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_who_waits_for_another_writer_of_sqlite_lets_all_others_go_on(database: Database, url: str) -> None:
    await two_tasks(database)
    replica = await open_database(url)

    async def mark() -> None:
        async with replica.transaction() as connection:
            await connection.execute(update(tasks).values(attempts=tasks.c.attempts + 1))

    async with database.transaction() as connection:
        await connection.execute(update(tasks).values(attempts=7))
        marking = asyncio.create_task(mark())
        for _ in range(100):
            async with database.reading() as reader:
                assert set((await reader.execute(select(tasks.c.attempts))).scalars()) == {0}
        assert not marking.done()
    await marking
    async with database.reading() as reader:
        assert set((await reader.execute(select(tasks.c.attempts))).scalars()) == {8}
    await replica.close()


class Crossing:
    """Two transactions, each of which holds one row and wants the other's, the first time that they are made."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._both_hold = asyncio.Barrier(2)
        self.begun = 0

    async def write(self, *names: str) -> None:
        self.begun += 1
        is_again = self.begun > 2
        async with self._database.transaction() as connection:
            for name in names:
                marked = update(tasks).where(tasks.c.name == name).values(attempts=tasks.c.attempts + 1)
                await connection.execute(marked)
                if name == names[0] and not is_again:
                    await self._both_hold.wait()


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
async def test_a_transaction_that_postgresql_breaks_off_is_made_again(database: Database) -> None:
    await two_tasks(database)
    crossing = Crossing(database)
    write = repeated(crossing.write)
    await asyncio.gather(write("one", "two"), write("two", "one"))
    assert crossing.begun == 3
    async with database.reading() as connection:
        assert list((await connection.execute(select(tasks.c.attempts))).scalars()) == [2, 2]


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
async def test_a_transaction_that_is_broken_off_and_not_made_again_is_a_passing_trouble(database: Database) -> None:
    await two_tasks(database)
    crossing = Crossing(database)
    ended = await asyncio.gather(crossing.write("one", "two"), crossing.write("two", "one"), return_exceptions=True)
    (broken,) = [each for each in ended if each is not None]
    assert isinstance(broken, BrokenOff)
    assert broken.trouble is Trouble.UNREACHABLE


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
async def test_a_connection_to_postgresql_waits_for_nothing_without_end(database: Database) -> None:
    names = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")
    async with database.reading() as connection:
        told = [await connection.scalar(text(f"SHOW {name}")) for name in names]
    assert told == ["15s", "2min", "1min"]


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
async def test_a_connection_whose_other_end_is_gone_is_found_out_within_a_minute(database: Database) -> None:
    """Read back from the socket, in seconds, probes and milliseconds."""
    async with database.reading() as connection:
        raw = await connection.get_raw_connection()
        with socket.socket(fileno=os.dup(raw.driver_connection.fileno())) as line:  # type: ignore[union-attr]
            names = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT, socket.TCP_USER_TIMEOUT)
            told = [line.getsockopt(socket.IPPROTO_TCP, name) for name in names]
    assert told == [30, 10, 3, 60_000]


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
async def test_a_replica_that_froze_in_a_transaction_holds_up_the_others_for_a_bounded_time(
    database: Database, url: str
) -> None:
    await two_tasks(database)
    frozen = await open_database(url)
    holds, waited = asyncio.Event(), asyncio.Event()

    async def freeze() -> None:
        async with frozen.transaction() as connection:
            await connection.execute(update(tasks).values(attempts=7))
            await connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = '300ms'"))
            holds.set()
            await waited.wait()

    freezing = asyncio.create_task(freeze())
    await holds.wait()
    async with database.transaction() as connection:
        await connection.execute(update(tasks).values(attempts=1))
    waited.set()
    with pytest.raises(Failure, match="does not answer"):
        await freezing
    await frozen.close()
    async with database.reading() as connection:
        assert list((await connection.execute(select(tasks.c.attempts))).scalars()) == [1, 1]


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
async def test_who_waits_for_a_row_too_long_is_told_that_the_database_does_not_answer(
    database: Database, url: str
) -> None:
    await two_tasks(database)
    hurried = await open_database(f"{url}?options=-c%20lock_timeout%3D100ms")
    async with database.transaction() as connection:
        await connection.execute(update(tasks).values(attempts=1))
        with pytest.raises(Failure, match="lock timeout"):
            async with hurried.transaction() as other:
                await other.execute(update(tasks).values(attempts=2))
    await hurried.close()


# Reading


async def test_who_reads_waits_for_no_writer(database: Database) -> None:
    await two_tasks(database)
    async with database.transaction() as writer:
        await writer.execute(update(tasks).values(attempts=1))
        async with database.reading() as reader:
            assert list((await reader.execute(select(tasks.c.attempts))).scalars()) == [0, 0]


async def test_a_writer_waits_for_nobody_who_reads_one_state_to_its_end(database: Database, url: str) -> None:
    await two_tasks(database)
    other = await open_database(url)
    async with database.reading() as reader:
        before = list((await reader.execute(select(tasks.c.attempts))).scalars())
        async with other.transaction() as writer:
            await writer.execute(update(tasks).values(attempts=1))
        assert list((await reader.execute(select(tasks.c.attempts))).scalars()) == before
    await other.close()


async def test_who_reads_writes_nothing(database: Database) -> None:
    with pytest.raises((Failure, InternalError), match=r"readonly|read-only"):
        async with database.reading() as reader:
            await reader.execute(insert(tasks).values(name="one", due_at=NOON))
