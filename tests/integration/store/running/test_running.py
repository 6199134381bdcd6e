"""What is kept of running containers: runs, the time that is covered, and what is inside their builds."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from bot.domain.running.runs import RunningSource
from bot.domain.running.snapshot import Snapshot
from bot.store.engine.queue.leases import bring_forward
from bot.store.rows.inventories.inventories import inventories
from bot.store.rows.running.past import package_set_blocks, package_sets, past_contents, past_images
from bot.store.rows.running.running import (
    running_builds,
    running_contents,
    running_looks,
    running_places,
    running_sources,
    runs,
)
from tests.integration.store.filling import HOUR, Stores, digest
from tests.integration.store.holding import SSL, move_image, running
from tests.integration.store.running.snapshots import EUROPE, MINUTES, WEB, runs_in, tells
from tests.integration.store.statements import statements

DAY = timedelta(days=1)


async def rows(stores: Stores, table: Any) -> list[Any]:
    async with stores.database.reading() as connection:
        return list((await connection.execute(select(table).order_by(*table.primary_key.columns))).all())


async def test_a_run_is_opened_seen_again_and_closed(stores: Stores) -> None:
    await tells(stores, *runs_in(WEB, "e"))
    began = stores.clock.now()
    await tells(stores, *runs_in(WEB, "e"))
    seen = stores.clock.now()
    await tells(stores, *runs_in(WEB, "f"))
    first, second = await rows(stores, runs)
    assert (first.since, first.seen_at, first.until) == (began, seen, stores.clock.now())
    assert (second.since, second.until) == (stores.clock.now(), None)
    [look] = await rows(stores, running_looks)
    assert (look.since, look.until) == (began, stores.clock.now())


async def test_what_is_told_in_part_closes_nothing_and_its_gap_is_kept(stores: Stores) -> None:
    await tells(stores, *runs_in(WEB, "e"))
    await tells(stores, not_read=("namespace billing: 403 Forbidden",))
    [run] = await rows(stores, runs)
    [source] = await rows(stores, running_sources)
    assert (run.until, source.not_read) == (None, ["namespace billing: 403 Forbidden"])


async def test_a_time_without_a_whole_list_is_a_hole(stores: Stores) -> None:
    await tells(stores, *runs_in(WEB, "e"))
    stores.clock.advance(HOUR)
    await tells(stores, *runs_in(WEB, "e"))
    first, second = await rows(stores, running_looks)
    assert second.since - first.until == HOUR + MINUTES
    [run] = await rows(stores, runs)
    assert run.until is None, "it runs still, as far as anybody knows"


async def test_what_waits_for_its_image_is_noted_as_long_as_it_does(stores: Stores) -> None:
    await tells(stores, *runs_in(WEB, None))
    [place] = await rows(stores, running_places)
    assert place.pulls_since == stores.clock.now()
    await tells(stores, *runs_in(WEB, "e"))
    [place] = await rows(stores, running_places)
    assert place.pulls_since is None


async def test_a_list_in_part_ends_no_waiting_that_it_does_not_show(stores: Stores) -> None:
    other = replace(WEB, workload="other")
    await tells(stores, *runs_in(WEB, None), *runs_in(other, None))
    await tells(stores, *runs_in(other, "e"), not_read=("pods: refused",))
    waits = {place.workload: place.pulls_since is not None for place in await rows(stores, running_places)}
    assert waits == {"web": True, "other": False}


async def test_a_snapshot_that_comes_twice_changes_nothing(stores: Stores) -> None:
    snapshot = Snapshot(stores.clock.now(), runs_in(WEB, "e"))
    assert await stores.running.save_snapshot("europe", snapshot)
    assert not await stores.running.save_snapshot("europe", snapshot)


async def test_a_clock_that_is_ahead_counts_as_ours(stores: Stores) -> None:
    ahead = Snapshot(stores.clock.now() + DAY, runs_in(WEB, "e"))
    assert await stores.running.save_snapshot("europe", ahead)
    await tells(stores, *runs_in(WEB, "f"))
    assert [run.until for run in await rows(stores, runs)] == [stores.clock.now(), None]


async def test_after_a_clock_that_was_ahead_for_a_while_all_is_news_again(stores: Stores) -> None:
    await tells(stores, *runs_in(WEB, "e"))
    began = stores.clock.now()
    stores.clock.advance(365 * DAY)
    await tells(stores, *runs_in(WEB, "f"))
    stores.clock.advance(-365 * DAY)
    await tells(stores, *runs_in(WEB, "f"))
    now = stores.clock.now()
    first, second = await rows(stores, runs)
    assert (first.since, first.until) == (began, now)
    assert (second.since, second.is_older, second.seen_at, second.until) == (now, True, now, None)
    [look] = await rows(stores, running_looks)
    assert (look.since, look.until) == (began, now)


async def test_sources_do_not_close_runs_of_each_other(stores: Stores) -> None:
    await tells(stores, *runs_in(WEB, "e"))
    await tells(stores, source="asia")
    assert [run.until for run in await rows(stores, runs)] == [None]


async def test_a_build_is_matched_by_index_platform_and_config(stores: Stores) -> None:
    await running(stores, SSL)
    async with stores.database.transaction() as connection:
        of_image = inventories.c.digest == digest("d")
        await connection.execute(update(inventories).where(of_image).values(config_digest=digest("7")))
    places = [replace(WEB, workload=name) for name in ("a", "b", "c", "nobody")]
    told = [each for place, letter in zip(places, "ed71", strict=True) for each in runs_in(place, letter)]
    await tells(stores, *told)
    [held] = [row.id for row in await rows(stores, inventories) if row.digest == digest("d")]
    builds = {row.id: row.digest for row in await rows(stores, running_builds)}
    contents = {(builds[row.build_id], row.inventory_id, row.kind) for row in await rows(stores, running_contents)}
    assert contents == {
        (digest("e"), held, "index"),
        (digest("d"), held, "platform"),
        (digest("7"), held, "config"),
    }


async def test_packages_of_what_ran_stay_as_long_as_its_runs(stores: Stores) -> None:
    await running(stores, SSL)
    await tells(stores, *runs_in(WEB, "e"))
    await move_image(stores, SSL, letter="f")
    await move_image(stores, SSL, letter="5")
    await tells(stores, *runs_in(WEB, "5"))
    stores.clock.advance(30 * DAY)
    await forget(stores)
    assert len(await rows(stores, past_contents)) == 1
    assert await stores.running.forget_before(stores.clock.now() - DAY) == 2
    await forget(stores)
    kept = (past_contents, past_images, package_sets, package_set_blocks, running_places, running_builds)
    assert [await rows(stores, table) for table in kept] == [[]] * len(kept)


async def forget(stores: Stores) -> None:
    task = await stores.retention.claim_forgetting()
    assert task is not None
    await stores.retention.forget(task, 365 * DAY)
    stores.clock.advance(DAY + HOUR)


async def test_a_source_that_settings_name_no_more_is_kept_and_asked_no_more(stores: Stores) -> None:
    asked = RunningSource("west", "test", timedelta(minutes=20), timedelta(minutes=5))
    await stores.running.follow([EUROPE, asked])
    assert [each.name for each in await stores.taken(stores.running.sources)] == ["west"]
    await stores.running.follow([EUROPE])
    west = next(row for row in await rows(stores, running_sources) if row.name == "west")
    assert (west.is_listed, west.environment, west.stale_after) == (False, "test", 1200)
    await stores.running.follow([EUROPE, asked])
    west = next(row for row in await rows(stores, running_sources) if row.name == "west")
    assert west.is_listed


async def test_a_single_pass_asks_a_cluster_at_once(stores: Stores) -> None:
    await stores.running.follow([RunningSource("west", "production", every=HOUR)])
    [source] = await stores.taken(stores.running.sources)
    await stores.running.settle_source(source, stores.clock.now() + HOUR)
    assert await stores.taken(stores.running.sources) == []
    stores.clock.advance(MINUTES)
    await bring_forward(stores.database, stores.clock.now())
    assert await stores.taken(stores.running.sources) == [source]


async def test_a_list_of_many_pods_is_written_by_few_statements(stores: Stores) -> None:
    places = [replace(WEB, workload=f"web-{number}") for number in range(300)]
    told = [each for place in places for each in runs_in(place, "e")]
    await tells(stores, *told)
    with statements(stores.database.engine) as told_again:
        await tells(stores, *told)
    assert len(told_again) <= 12
