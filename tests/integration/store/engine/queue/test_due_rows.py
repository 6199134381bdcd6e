"""The contract of `reconcile.work.Queue`, kept by rows in memory and by a table on both databases alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import pytest
from sqlalchemy import insert, select, update

from bot.domain.clock import ManualClock
from bot.reconcile.work import Claimed, Queue
from bot.store.engine.database import Database
from bot.store.engine.queue.claiming import DueRows, Worker
from bot.store.rows.repositories.tables import repositories
from tests.fakes.queue import LEASE, FakeQueue
from tests.integration.store.conftest import NOON

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Shown:
    due_at: datetime
    attempts: int
    error: str | None


class Rows(Protocol):
    """A queue of five rows, due minute by minute until noon; the fourth cannot be read."""

    queue: Queue[str]

    async def shown(self, row: int) -> Shown: ...

    async def steal(self, row: int) -> None: ...


class InMemory:
    def __init__(self) -> None:
        self.fake: FakeQueue[str] = FakeQueue()
        for number in range(1, 6):
            item = ValueError("bad") if number == 4 else f"r{number}"
            self.fake.add(item, NOON - timedelta(minutes=5 - number), f"r{number}", id=number)
        self.queue: Queue[str] = self.fake

    async def shown(self, row: int) -> Shown:
        found = self.fake.rows[row]
        return Shown(found.due_at, found.attempts, found.error)

    async def steal(self, row: int) -> None:
        self.fake.steal(row)


class InTable:
    def __init__(self, database: Database) -> None:
        self._database = database
        self.queue: Queue[str] = DueRows(
            database, Worker("me", LEASE), repositories, self._read, lambda row: str(row["name"])
        )

    async def fill(self) -> None:
        rows = [
            {
                "name": f"r{number}",
                "default_branch": "main",
                "listed": True,
                "config": {},
                "workflows": [],
                "problems": [],
                "due_at": NOON - timedelta(minutes=5 - number),
            }
            for number in range(1, 6)
        ]
        async with self._database.transaction() as connection:
            await connection.execute(insert(repositories), rows)

    async def _read(self, claimed: Claimed) -> str:
        if claimed.row["name"] == "r4":
            raise ValueError("bad")
        return str(claimed.row["name"])

    async def shown(self, row: int) -> Shown:
        async with self._database.transaction() as connection:
            query = select(repositories).where(repositories.c.id == row)
            found = (await connection.execute(query)).one()
        return Shown(found.due_at, found.attempts, found.error)

    async def steal(self, row: int) -> None:
        async with self._database.transaction() as connection:
            await connection.execute(
                update(repositories).where(repositories.c.id == row).values(lease_owner="another")
            )


@pytest.fixture(params=["memory", "table"])
async def rows(request: pytest.FixtureRequest, database: Database) -> Rows:
    if request.param == "memory":
        return InMemory()
    table = InTable(database)
    await table.fill()
    return table


def ids(claims: Sequence[Claimed]) -> list[int]:
    return [claimed.id for claimed in claims]


async def test_what_is_due_is_claimed_once_the_longest_due_first(rows: Rows) -> None:
    first = await rows.queue.claim(NOON, 2)
    assert [(claimed.id, claimed.name, claimed.attempts) for claimed in first] == [(1, "r1", 1), (2, "r2", 1)]
    assert ids(await rows.queue.claim(NOON, 9)) == [3, 4, 5]
    assert await rows.queue.claim(NOON, 9) == []


async def test_a_claim_ends_with_its_lease(rows: Rows) -> None:
    await rows.queue.claim(NOON, 9)
    again = await rows.queue.claim(NOON + LEASE, 9)
    assert [claimed.attempts for claimed in again] == [2] * 5


async def test_what_a_clock_that_was_a_year_ahead_has_claimed_or_put_off_is_due(rows: Rows) -> None:
    year = timedelta(days=365)
    claims = await rows.queue.claim(NOON + year, 9)
    await rows.queue.put_off(claims[:2], NOON + year + HOUR)
    again = [*await rows.queue.claim(NOON, 9), *await rows.queue.claim(NOON, 9)]
    assert sorted(ids(again)) == [1, 2, 3, 4, 5]
    assert await rows.queue.claim(NOON, 9) == []


async def test_a_row_that_cannot_be_read_is_claimed_like_any_other(rows: Rows) -> None:
    claims = await rows.queue.claim(NOON, 9)
    assert await rows.queue.read(claims[0]) == "r1"
    with pytest.raises(ValueError, match="bad"):
        await rows.queue.read(claims[3])


async def test_a_renewed_lease_holds_from_its_renewal_on(rows: Rows) -> None:
    claims = await rows.queue.claim(NOON, 9)
    assert sorted(await rows.queue.renew(claims, NOON + LEASE / 2)) == [1, 2, 3, 4, 5]
    assert await rows.queue.claim(NOON + LEASE, 9) == []


async def test_what_another_has_taken_is_not_renewed_nor_put_off(rows: Rows) -> None:
    claims = await rows.queue.claim(NOON, 2)
    await rows.steal(2)
    assert list(await rows.queue.renew(claims, NOON)) == [1]
    await rows.queue.put_off(claims, NOON + HOUR, error="no answer")
    assert (await rows.shown(1)).due_at == NOON + HOUR
    assert (await rows.shown(2)).due_at == NOON - timedelta(minutes=3)


async def test_what_is_put_off_shows_why_and_counts_its_attempt(rows: Rows) -> None:
    claims = await rows.queue.claim(NOON, 1)
    await rows.queue.put_off(claims, NOON + HOUR, error="no answer")
    assert await rows.shown(1) == Shown(NOON + HOUR, 1, "no answer")
    again = await rows.queue.claim(NOON + HOUR, 9)
    await rows.queue.put_off([claimed for claimed in again if claimed.id == 1], NOON + HOUR, attempted=False)
    assert await rows.shown(1) == Shown(NOON + HOUR, 1, "no answer")


async def test_what_was_put_off_is_free_again(rows: Rows, clock: ManualClock) -> None:
    claims = await rows.queue.claim(NOON, 9)
    await rows.queue.put_off(claims, NOON + HOUR, attempted=False)
    assert ids(await rows.queue.claim(NOON + HOUR, 9)) == [1, 2, 3, 4, 5]


async def test_what_has_failed_and_is_due_later_rests(rows: Rows) -> None:
    claims = await rows.queue.claim(NOON, 4)
    for claimed, rest in zip(claims, (9, 5, 1, 9), strict=True):
        await rows.queue.put_off([claimed], NOON + rest * HOUR, error="no answer")
    assert ids(await rows.queue.resting(NOON + HOUR, 2)) == [2, 1]
    assert ids(await rows.queue.resting(NOON + HOUR, 9)) == [2, 1, 4]
    await rows.queue.put_off(await rows.queue.claim(NOON, 9), NOON + 9 * HOUR, attempted=False)
    assert 5 not in ids(await rows.queue.resting(NOON + HOUR, 9)), "it was not tried"


async def test_what_rests_is_made_due_sooner_and_never_later(rows: Rows) -> None:
    claims = await rows.queue.claim(NOON, 2)
    await rows.queue.put_off(claims[:1], NOON + 9 * HOUR, error="no answer")
    await rows.queue.hasten({1: NOON + HOUR, 2: NOON + HOUR})
    assert await rows.shown(1) == Shown(NOON + HOUR, 1, "no answer")
    assert (await rows.shown(2)).due_at == NOON - timedelta(minutes=3), "somebody works on it"
    await rows.queue.hasten({1: NOON + 2 * HOUR})
    assert (await rows.shown(1)).due_at == NOON + HOUR
    await rows.queue.hasten({})
