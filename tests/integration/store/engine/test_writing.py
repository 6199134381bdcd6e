"""Rows of one table are locked by their ids: whoever waits for one holds none after it, so no two wait for each
other. What writes several rows at once does so on PostgreSQL; SQLite has one writer at a time.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, TypeVar

import pytest
from sqlalchemy import Table, insert, select, update

from bot.domain.bases.change import Cause
from bot.domain.bases.observation import Observation, Sight
from bot.fleet.watch.registry.ports import Poll, Sighting
from bot.store.rows.bases.tables import bases, changes, observations
from bot.store.rows.images.images import images
from bot.store.rows.repositories.audits import audits
from bot.store.rows.rollouts.tables import rebuilds
from tests.integration.store.filling import ASPNET, HOUR, SDK, Stores, change_of, digest
from tests.integration.store.moving import moves_again, opened, someone_waits
from tests.integration.store.unlocked import lock_nothing, who_lock

Item = TypeVar("Item")
Write = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Writing:
    """What writes several rows of a table, those with these ids."""

    table: Table
    write: Write
    ids: tuple[int, ...] = (1, 2)


Case = Callable[[Stores], Awaitable[Writing]]
"""Fills a store so that it may be written."""


@pytest.fixture
def url(url: str) -> str:
    """Rows that are updated together are so in the order in which they lie, whatever the planner thinks of an
    index."""
    return f"{url}?options=-c%20enable_indexscan%3Doff%20-c%20enable_bitmapscan%3Doff"


async def renewing(stores: Stores) -> Writing:
    await stores.fill(repositories=2)
    await stores.plan_all()
    claims = await stores.act.jobs.claim(stores.clock.now(), 10)
    return Writing(rebuilds, lambda: stores.act.jobs.renew(claims, stores.clock.now()))


async def putting_off(stores: Stores) -> Writing:
    await stores.fill(repositories=2)
    await stores.plan_all()
    claims = await stores.act.jobs.claim(stores.clock.now(), 10)
    return Writing(rebuilds, lambda: stores.act.jobs.put_off(claims, stores.clock.now() + HOUR))


async def superseding(stores: Stores) -> Writing:
    await stores.fill(repositories=2)
    await stores.plan_all()
    await opened(stores)
    await moves_again(stores)
    plan = await stores.planned(supersedes=(2, 1))
    return Writing(rebuilds, lambda: stores.plan.save_plan(plan))


async def rescheduling(stores: Stores) -> Writing:
    await stores.fill(bases=(ASPNET, SDK))
    stores.clock.advance(HOUR)
    later = stores.clock.now() + HOUR
    polls = [Poll(each.id, later) for each in await from_behind(stores.bases())]
    return Writing(bases, lambda: stores.watch.reschedule(polls))


async def recording(stores: Stores) -> Writing:
    await stores.fill(bases=(ASPNET, SDK))
    stores.clock.advance(HOUR)
    now = stores.clock.now()
    sightings = [
        Sighting(each.id, Sight.MOVED, Observation(now, each.base, digest("c"), "10.0.6"), now + HOUR)
        for each in await from_behind(stores.bases())
    ]
    return Writing(bases, lambda: stores.watch.record(sightings, {}))


async def assessing(stores: Stores) -> Writing:
    await stores.fill(bases=(ASPNET, SDK))
    stores.clock.advance(HOUR)
    await stores.see({ASPNET: "c", SDK: "c"})
    found = [(pair, change_of(pair, Cause.OS_UPDATE)) for pair in reversed(await stores.assess.unassessed(10))]
    return Writing(observations, lambda: stores.assess.save_changes(found, 0), (5, 6))


async def reassessing(stores: Stores) -> Writing:
    await stores.fill(bases=(ASPNET, SDK))
    return Writing(changes, lambda: stores.assess.save_reassessed([2, 1], [], 1))


async def judging_images(stores: Stores) -> Writing:
    await two_images(stores)
    return Writing(images, lambda: stores.images.save_standings({2: (), 1: ()}))


async def seeing_images_unmoved(stores: Stores) -> Writing:
    await two_images(stores)
    due = stores.clock.now() + HOUR
    unmoved = await from_behind(stores.taken(stores.images.images))
    return Writing(images, lambda: stores.images.record_unmoved(unmoved, due))


async def auditing_by_other_rules(stores: Stores) -> Writing:
    await stores.fill(repositories=2)
    async with stores.database.transaction() as connection:
        rows: list[dict[str, Any]] = [
            {"id": number, "repository_id": number, "files": {}, "due_at": stores.clock.now()} for number in (1, 2)
        ]
        await connection.execute(audits.delete())
        await connection.execute(insert(audits), rows)
    return Writing(audits, lambda: stores.audit.expect("other rules"))


CASES: tuple[Case, ...] = (
    *(renewing, putting_off, superseding, rescheduling, recording, assessing, reassessing),
    *(judging_images, seeing_images_unmoved, auditing_by_other_rules),
)


async def from_behind(taken: Awaitable[list[Item]]) -> list[Item]:
    """What was taken, the one with the highest id first."""
    return sorted(await taken, key=attrgetter("id"), reverse=True)


async def two_images(stores: Stores) -> None:
    await stores.fill()
    shop = {"repository_id": 1, "registry": "ghcr.io", "repository": "contoso/shop", "source": "build", "path": ""}
    async with stores.database.transaction() as connection:
        for tag in ("latest", "next"):
            await connection.execute(insert(images).values(**shop, tag=tag, line=1, due_at=stores.clock.now()))


async def held_while_waiting(stores: Stores, writing: Writing) -> list[int]:
    """The rows that are held while the one with the lowest id is waited for."""
    table, first = writing.table, min(writing.ids)
    mine = select(table.c.id).where(table.c.id.in_(writing.ids)).with_for_update(key_share=True, skip_locked=True)
    async with stores.database.transaction() as connection:  # so that the first lies behind the others
        await connection.execute(update(table).where(table.c.id == first).values(id=table.c.id))
    async with stores.database.transaction() as connection:
        await connection.execute(mine.where(table.c.id == first))
        waiting = asyncio.ensure_future(writing.write())
        await someone_waits(stores)
        free = set((await connection.execute(mine)).scalars())
    await waiting
    return [number for number in writing.ids if number not in free]


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
async def test_who_waits_for_a_row_holds_none_after_it(stores: Stores, case: Case) -> None:
    writing = await case(stores)
    assert await held_while_waiting(stores, writing) == []


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
async def test_without_its_locks_it_would(stores: Stores, case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the test before would show nothing."""
    writing = await case(stores)
    for module in who_lock():
        monkeypatch.setattr(module, "lock", lock_nothing)
    assert await held_while_waiting(stores, writing) != []
