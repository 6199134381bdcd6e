"""What needs a person: each reason by what the store holds, and since when there is none."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from bot.domain.bases.support import SupportState
from bot.domain.reference import Base
from bot.domain.repositories.repository_config import RepositoryConfig
from bot.domain.rollouts.journal import Word
from bot.domain.rollouts.rebuild import RebuildState
from bot.store.engine.codec import dump
from bot.store.pages.fleet.needs import NeedsStore
from bot.store.rows.repositories.tables import repositories
from bot.store.views.fleet import FleetViewsStore
from bot.views.fleet.fleet import FleetFilter
from bot.views.fleet.needs import NeedGroup, NeedReason
from bot.views.paging import Cut
from tests.integration.store.filling import ASPNET, HOUR, Stores
from tests.integration.store.statements import statements

DAY = 24 * HOUR
NET_8, NET_8_NOBLE, ALPINE_3_20 = (
    Base(ASPNET.registry, ASPNET.repository, tag) for tag in ("8.0", "8.0-noble", "10.0-alpine3.20")
)
THE_END = datetime(2026, 11, 10, 12, tzinfo=UTC)


def needs_of(stores: Stores) -> NeedsStore:
    return stores[NeedsStore]


def go_to(stores: Stores, moment: datetime) -> Stores:
    stores.clock.advance(moment - stores.clock.now())
    return stores


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


async def test_status_tells_the_same_and_reads_pauses_and_what_cannot_be_read_once(stores: Stores) -> None:
    await stores.fill(12)
    await stores.orders.pause(None, Word("bob", "stock-taking"))
    named = repositories.c.name
    async with stores.database.transaction() as connection:
        await connection.execute(
            update(repositories).where(named != "contoso/shop-0003").values(error="403: no access")
        )
        unread = dump(RepositoryConfig(enabled=False, unread="bad YAML"), RepositoryConfig)
        await connection.execute(
            update(repositories).where(named == "contoso/shop-0003").values(config=unread, error=None)
        )
    with statements(stores.database._readers) as made:
        status = await stores[FleetViewsStore].status()
    assert status.needs == await needs_of(stores).needs()
    assert [group.number for group in status.needs.groups][:2] == [1, 12]
    assert sum("FROM pauses" in statement for statement in made) == 1
    assert sum("repositories.error IS NOT NULL" in statement for statement in made) == 1


@pytest.mark.parametrize(
    ("today", "reason", "said"),
    [
        (datetime(2026, 8, 11, tzinfo=UTC), None, ""),
        (datetime(2026, 8, 12, tzinfo=UTC), NeedReason.ENDS_SOON, "is supported for 90 more days"),
        (datetime(2026, 11, 9, 23, 59, tzinfo=UTC), NeedReason.ENDS_SOON, "is supported for 1 more day"),
        (datetime(2026, 11, 30, tzinfo=UTC), NeedReason.OUT_OF_SUPPORT, "is out of support for 20 days"),
    ],
)
async def test_an_end_of_support_needs_somebody_by_repository_from_ninety_days_before(
    stores: Stores, today: datetime, reason: NeedReason | None, said: str
) -> None:
    await stores.fill(2, (NET_8, NET_8_NOBLE, ASPNET))
    found = await groups(go_to(stores, today))
    assert set(found) == ({reason} if reason else set())
    if reason:
        assert (found[reason].number, found[reason].alike, found[reason].since) == (2, 2, THE_END)
        assert [need.subject for need in found[reason].first] == ["contoso/shop-0000", "contoso/shop-0001"]
        assert found[reason].first[0].why.startswith(f".NET 8.0 {said}")
        assert "10.0 is the next" in found[reason].first[0].why


@pytest.mark.parametrize("hour", [1, 11, 13, 23])
async def test_at_any_time_of_day_an_end_of_support_is_as_long_ago_in_both_sentences(
    stores: Stores, hour: int
) -> None:
    await stores.fill(2, (NET_8, ASPNET))
    today = datetime(2026, 11, 30, hour, tzinfo=UTC)
    group = (await groups(go_to(stores, today)))[NeedReason.OUT_OF_SUPPORT]
    assert group.sentence(today).endswith("the oldest for 20 days")
    assert "for 20 days" in group.first[0].why


async def test_a_repository_with_two_ends_is_told_once_by_the_first(stores: Stores) -> None:
    await stores.fill(1, (NET_8, ALPINE_3_20))
    [group] = (await groups(go_to(stores, datetime(2026, 9, 1, tzinfo=UTC)))).values()
    assert (group.reason, group.number) == (NeedReason.OUT_OF_SUPPORT, 1)
    assert group.first[0].why == "alpine3.20 is out of support for 153 days: no more fixes will come"


async def test_a_mirror_of_what_has_ended_has_ended_too(stores: Stores) -> None:
    await stores.fill(1, (Base("registry.example", "mirror/dotnet/aspnet", "8.0"),))
    assert set(await groups(go_to(stores, datetime(2026, 11, 30, tzinfo=UTC)))) == {NeedReason.OUT_OF_SUPPORT}


async def test_the_list_has_those_that_are_counted(stores: Stores) -> None:
    await stores.fill(2, (NET_8, ALPINE_3_20))
    await stores.standing.count()
    for today, ended, soon in (
        (datetime(2026, 3, 20, tzinfo=UTC), 0, 2),
        (datetime(2026, 9, 1, tzinfo=UTC), 2, 0),
    ):
        fleet = go_to(stores, today).fleet
        lists = [(await fleet.fleet(FleetFilter(support=state), Cut())).repositories for state in SupportState]
        assert [each.total for each in lists] == [ended, soon]
        [shown] = {row.support.state for each in lists for row in each.items if row.support}
        assert shown is (SupportState.ENDED if ended else SupportState.SOON)


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
