"""What has ended is packed place by place, and told as before."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, insert, select, update

from bot.domain.running.exposure import Asked, PlaceExposure, PlaceState
from bot.fleet.running import rows
from bot.store.rows.running.backfills import running_backfills
from bot.store.rows.running.packed_runs import PackedRuns, moment_of
from bot.store.rows.running.past_runs import past_runs
from bot.store.rows.running.running import running_sources, runs
from bot.views.running.exposed import Narrowed
from tests.integration.store.conftest import ON_BOTH
from tests.integration.store.filling import Stores
from tests.integration.store.holding import CVE
from tests.integration.store.running.snapshots import WEB, exposed_fleet, goes_on, runs_in, tells

DAY = timedelta(days=1)
API = replace(WEB, workload="api")


async def packed(stores: Stores) -> list[list[datetime]]:
    """When what is packed had ended, place by place."""
    async with stores.database.reading() as connection:
        of_places = (await connection.execute(select(past_runs).order_by(past_runs.c.place_id))).all()
        is_past = await connection.scalar(select(func.count()).select_from(runs).where(runs.c.is_past.is_(True)))
    ends = [[moment_of(run.until) for run in PackedRuns.unpacked(row.packed)] for row in of_places]
    assert [(row.first_end, row.last_end) for row in of_places] == [(min(each), max(each)) for each in ends]
    assert is_past == sum(map(len, ends))
    return ends


async def two_ended(stores: Stores) -> tuple[datetime, datetime]:
    """`web` has run two builds, one after the other, and runs a third since ten days; when the two had ended."""
    await exposed_fleet(stores)
    await tells(stores, *runs_in(WEB, "f"))
    first = stores.clock.now()
    await goes_on(stores, DAY, *runs_in(WEB, "f"))
    await tells(stores, *runs_in(WEB, "5"))
    second = stores.clock.now()
    await goes_on(stores, 10 * DAY, *runs_in(WEB, "5"))
    return first, second


async def pack(stores: Stores) -> int:
    return await stores.running.pack_ended(stores.clock.now() - DAY)


async def at(stores: Stores, moment: datetime) -> PlaceExposure:
    [place] = (await stores.exposure.exposure(CVE, Asked(moment), Narrowed())).places
    return place


@ON_BOTH
async def test_all_that_has_ended_in_a_place_is_packed_once_some_of_it_is_old(stores: Stores) -> None:
    first, second = await two_ended(stores)
    await tells(stores, *runs_in(WEB, "6"), *runs_in(API, "6"))
    third = stores.clock.now()
    await tells(stores, *runs_in(WEB, "6"), *runs_in(API, "7"))
    assert (await pack(stores), await pack(stores)) == (3, 0)
    assert await packed(stores) == [[first, second, third]]
    stores.clock.advance(2 * DAY)
    assert await pack(stores) == 1
    assert len(await packed(stores)) == 2


@ON_BOTH
async def test_what_is_packed_is_told_as_before(stores: Stores) -> None:
    first, second = await two_ended(stores)
    moments = (first - timedelta(minutes=1), first, second, stores.clock.now())
    before = [await at(stores, moment) for moment in moments]
    assert [each.state for each in before] == [PlaceState.EXPOSED, *3 * [PlaceState.NOT_READ]]
    assert await pack(stores) == 2
    assert [await at(stores, moment) for moment in moments] == before


@ON_BOTH
async def test_what_is_forgotten_is_packed_no_more(stores: Stores) -> None:
    _, second = await two_ended(stores)
    await pack(stores)
    assert await stores.running.forget_before(second) == 1
    assert await packed(stores) == [[second]]
    assert await stores.running.forget_before(second) == 0
    assert await stores.running.forget_before(second + DAY) == 1
    assert await packed(stores) == []


@ON_BOTH
async def test_what_cannot_be_read_is_told_by_its_rows_and_packed_anew(stores: Stores) -> None:
    first, second = await two_ended(stores)
    before = await at(stores, first - timedelta(minutes=1)), await at(stores, stores.clock.now())
    await pack(stores)
    async with stores.database.transaction() as connection:
        await connection.execute(update(past_runs).values(packed=b"x"))
    assert (await at(stores, first - timedelta(minutes=1)), await at(stores, stores.clock.now())) == before
    await tells(stores, *runs_in(WEB, "6"))
    third = stores.clock.now()
    stores.clock.advance(2 * DAY)
    assert await pack(stores) == 3
    assert await packed(stores) == [[first, second, third]]


@ON_BOTH
async def test_what_a_clock_that_was_ahead_has_dated_is_packed_no_more(stores: Stores) -> None:
    await exposed_fleet(stores)
    stores.clock.advance(300 * DAY)
    await tells(stores, *runs_in(WEB, "f"))
    stores.clock.advance(2 * DAY)
    assert await pack(stores) == 1
    stores.clock.advance(-302 * DAY)
    await tells(stores, *runs_in(WEB, "f"))
    assert await packed(stores) == []
    assert (await at(stores, stores.clock.now())).exposed[0].until == stores.clock.now()


@ON_BOTH
async def test_while_the_past_of_a_source_is_read_nothing_of_it_is_packed(stores: Stores) -> None:
    await two_ended(stores)
    now = stores.clock.now()
    async with stores.database.transaction() as connection:
        source = await connection.scalar(select(running_sources.c.id))
        values = {"source_id": source, "first_at": now, "read_to": now - DAY, "due_at": now}
        await connection.execute(insert(running_backfills).values(values))
    assert await pack(stores) == 0
    async with stores.database.transaction() as connection:
        await connection.execute(update(running_backfills).values(ended_at=now))
    assert await pack(stores) == 2


async def test_many_places_are_packed_some_at_a_time(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "_PACKED_AT_ONCE", 1)
    await tells(stores, *runs_in(WEB, "e"), *runs_in(API, "e"))
    await tells(stores)
    stores.clock.advance(2 * DAY)
    assert [await pack(stores) for _ in range(3)] == [1, 1, 0]
