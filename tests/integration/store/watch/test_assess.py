"""Observations become changes once, and changes learn what the feeds add."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from bot.domain.bases.change import Cause
from bot.domain.rollouts.rebuild import RebuildState
from bot.store.rows.rollouts.tables import rebuilds
from bot.store.rows.tables import outbox
from tests.integration.store.assessing import enrich, feed_changes, moves_again_unassessed, reassessable
from tests.integration.store.filling import HOUR, Stores, change_of, digest
from tests.integration.store.moving import moves_again, opened, someone_waits


async def test_a_first_sight_is_a_baseline_and_no_change(stores: Stores) -> None:
    await stores.fill()
    assert [change.from_digest for change in [move.change for move in await stores.plan.unplanned()]] == [
        digest("a")
    ]


async def test_an_observation_is_assessed_once(stores: Stores) -> None:
    await stores.fill()
    await moves_again_unassessed(stores)
    pair = (await stores.assess.unassessed(10))[0]
    for _ in range(2):
        await stores.assess.save_changes([(pair, change_of(pair, Cause.OS_UPDATE))], 0)
    assert len(await stores.plan.unplanned()) == 2
    assert await stores.assess.unassessed(10) == []


async def test_what_the_last_change_says_a_base_lacks_is_known_with_its_next_observation(stores: Stores) -> None:
    await stores.fill()
    await moves_again_unassessed(stores)
    pair = (await stores.assess.unassessed(10))[0]
    assert pair.lacks == ()
    change = replace(change_of(pair, Cause.OS_UPDATE), lacks=("linux/arm/v7",))
    await stores.assess.save_changes([(pair, change)], 0)
    await moves_again_unassessed(stores)
    assert [each.lacks for each in await stores.assess.unassessed(10)] == [("linux/arm/v7",)]


async def test_changes_of_a_version_are_assessed_again_when_a_feed_has_changed(stores: Stores) -> None:
    await stores.fill()
    assert await reassessable(stores) == []
    await feed_changes(stores)
    assert [move.id for move in await reassessable(stores)] == [1]
    stores.clock.advance(HOUR)
    await stores.assess.save_reassessed([1], [], await stores.assess.feeds_revision())
    assert await reassessable(stores) == []


async def test_a_rollback_is_assessed_again_too(stores: Stores) -> None:
    await stores.fill()
    await moves_again_unassessed(stores)
    await stores.assess_all(Cause.ROLLBACK)
    await feed_changes(stores)
    assert [move.id for move in await reassessable(stores)] == [1, 2]


async def test_changes_of_the_system_layer_do_not_wait_for_feeds(stores: Stores) -> None:
    await stores.fill()
    await moves_again_unassessed(stores)
    await stores.assess_all(Cause.OS_UPDATE)
    await feed_changes(stores)
    assert [move.id for move in await reassessable(stores)] == [1]


async def test_an_open_pull_request_is_due_for_its_new_text_at_once(stores: Stores) -> None:
    await stores.fill()
    await stores.plan_all()
    await opened(stores)
    wanted = await stores.column(outbox, "wanted")
    await enrich(stores)
    job = (await stores.jobs(10))[0]
    assert job.changes[0].cves == ("CVE-2026-1",)
    assert (job.rebuild.state, job.rebuild.facts_version, job.rebuild.text_version) == (RebuildState.OPEN, 1, 0)
    assert await stores.column(outbox, "wanted") == [wanted[0] + 1]


async def test_a_pull_request_with_new_text_is_not_due_again(stores: Stores) -> None:
    await stores.fill()
    await stores.plan_all()
    await opened(stores)
    await enrich(stores)
    job = (await stores.jobs(10))[0]
    await stores.act.settle_rebuild(job.rebuild, replace(job.rebuild, text_version=job.rebuild.facts_version))
    assert await stores.jobs(10) == []


async def test_following_leaves_an_outdated_text_to_those_who_can_mend_it(stores: Stores) -> None:
    await stores.fill()
    await stores.plan_all()
    await opened(stores)
    await enrich(stores)
    assert await stores.followed(10) == []


async def test_what_a_feed_adds_while_the_pull_request_is_being_opened_is_not_lost(stores: Stores) -> None:
    await stores.fill()
    await stores.plan_all()
    job = (await stores.jobs(1))[0]
    await enrich(stores)
    after = job.rebuild.moved(RebuildState.OPEN, "opened", at=stores.clock.now())
    await stores.act.settle_rebuild(job.rebuild, replace(after, text_version=job.rebuild.facts_version))
    again = (await stores.jobs(1))[0]
    assert again.changes[0].cves == ("CVE-2026-1",)


async def test_what_a_feed_adds_before_the_pull_request_is_opened_needs_no_second_look(stores: Stores) -> None:
    await stores.fill()
    await stores.plan_all()
    await enrich(stores)
    await opened(stores)
    stores.clock.advance(2 * HOUR)
    assert await stores.jobs(1) == []


async def test_only_pull_requests_that_carry_the_change_get_new_text(stores: Stores) -> None:
    await stores.fill()
    await stores.plan_all()
    await opened(stores)
    await moves_again(stores)
    await feed_changes(stores)
    second = next(move for move in await reassessable(stores) if move.id == 2)
    await stores.assess.save_reassessed([2], [second], await stores.assess.feeds_revision())
    assert await stores.jobs(10) == []


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
async def test_news_for_many_rebuilds_and_a_plan_that_replaces_them_do_not_wait_for_each_other(
    stores: Stores,
) -> None:
    """SQLite has one writer at a time."""
    await stores.fill(repositories=2)
    await stores.plan_all()
    await opened(stores)
    await feed_changes(stores)
    async with stores.database.transaction() as connection:  # so that the first lies behind the second
        await connection.execute(update(rebuilds).where(rebuilds.c.id == 1).values(reason="moved"))
    [move] = await reassessable(stores)
    revision = await stores.assess.feeds_revision()
    async with stores.database.transaction() as connection:
        await connection.execute(select(rebuilds.c.id).where(rebuilds.c.id == 1).with_for_update())
        news = asyncio.create_task(stores.assess.save_reassessed([move.id], [move], revision))
        await someone_waits(stores)
        await connection.execute(select(rebuilds.c.id).where(rebuilds.c.id == 2).with_for_update())
    await news
    assert await stores.column(rebuilds, "facts_version") == [1, 1]


async def test_news_that_are_committed_while_a_change_is_assessed_are_not_missed(stores: Stores) -> None:
    await stores.fill()
    await moves_again_unassessed(stores)
    pair = (await stores.assess.unassessed(10))[0]
    before = await stores.assess.feeds_revision()
    await feed_changes(stores)

    stores.clock.advance(HOUR)
    await stores.assess.save_changes([(pair, change_of(pair, Cause.DOTNET_UNKNOWN))], before)

    assert 2 in [move.id for move in await reassessable(stores)]
