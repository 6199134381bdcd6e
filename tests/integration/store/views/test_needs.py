"""What needs a person: each reason by what the store holds, and since when there is none."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import update

from bot.domain.rollouts.journal import Word
from bot.domain.rollouts.rebuild import RebuildState
from bot.store.pages.fleet.needs import NeedsStore
from bot.store.rows.repositories.tables import repositories
from bot.views.fleet.needs import NeedGroup, NeedReason
from tests.integration.store.filling import HOUR, Stores

DAY = 24 * HOUR


def needs_of(stores: Stores) -> NeedsStore:
    return stores[NeedsStore]


async def groups(stores: Stores) -> dict[NeedReason, NeedGroup]:
    return {group.reason: group for group in (await needs_of(stores).needs()).groups}


async def test_failures_that_nothing_followed_are_counted_with_how_many_say_the_same(stores: Stores) -> None:
    await stores.fill(3)
    await stores.plan_all()
    for job, reason in zip(await stores.jobs(10), ("test X is red", "test X is red", "no space"), strict=True):
        broken = job.rebuild.moved(RebuildState.FAILED, reason, at=stores.clock.now())
        await stores.act.settle_rebuild(job.rebuild, broken)
        stores.clock.advance(HOUR)
    group = (await groups(stores))[NeedReason.FAILED]
    assert (group.number, group.alike, group.since) == (3, 2, stores.clock.now() - 3 * HOUR)
    assert [need.why for need in group.first] == ["test X is red", "test X is red", "no space"]


async def test_a_green_pull_request_needs_somebody_after_a_day_and_any_other_after_two(stores: Stores) -> None:
    await stores.fill(2)
    await stores.plan_all()
    now = stores.clock.now()
    for job, ready_since in zip(await stores.jobs(10), (now, None), strict=True):
        opened = job.rebuild.moved(RebuildState.OPEN, "opened", at=now)
        opened = replace(opened, attempted_at=now, ready_since=ready_since, due_at=now + 9 * DAY)
        await stores.act.settle_rebuild(job.rebuild, opened)
    stores.clock.advance(DAY - timedelta(seconds=1))
    assert await groups(stores) == {}
    stores.clock.advance(timedelta(seconds=1))
    assert set(await groups(stores)) == {NeedReason.UNMERGED}
    stores.clock.advance(DAY)
    assert set(await groups(stores)) == {NeedReason.UNMERGED, NeedReason.NOT_READY}


async def test_a_pause_is_told_with_who_asked_for_it_and_why(stores: Stores) -> None:
    await stores.fill(1)
    await stores.orders.pause(None, Word("bob", "stock-taking"))
    [need] = (await groups(stores))[NeedReason.PAUSED].first
    assert (need.subject, need.why) == ("everything", "bob: stock-taking")


async def test_a_repository_that_cannot_be_read_is_told_with_its_error(stores: Stores) -> None:
    await stores.fill(2)
    async with stores.database.transaction() as connection:
        await connection.execute(
            update(repositories).where(repositories.c.name == "contoso/shop-0000").values(error="403: no access")
        )
    [need] = (await groups(stores))[NeedReason.UNREADABLE].first
    assert (need.subject, need.why) == ("contoso/shop-0000", "403: no access")


async def test_nothing_needs_you_since_it_was_first_seen_so(stores: Stores) -> None:
    await stores.fill(1)
    needs = needs_of(stores)
    await needs.note_calm()
    first = stores.clock.now()
    stores.clock.advance(HOUR)
    await needs.note_calm()
    assert (await needs.needs()).calm_since == first
    await stores.orders.pause(None, Word("bob", "stock-taking"))
    stores.clock.advance(HOUR)
    await needs.note_calm()
    assert (await needs.needs()).calm_since is None
