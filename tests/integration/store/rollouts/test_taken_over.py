"""A pull request that merges by the bot's word, while the rebuild that is to go on with it may not begin yet.

Rebuild 1 has opened it, for digest b, and rebuild 2 has superseded that, for digest c.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import update

from bot.domain.failure import LeaseLost
from bot.domain.repositories.repository import Reading, Repository
from bot.domain.repositories.repository_config import RepositoryConfig
from bot.domain.rollouts.journal import Word
from bot.domain.rollouts.policy import ActionPreference
from bot.domain.rollouts.rebuild import Merging, RebuildState
from bot.fleet.act.ports import Job
from bot.store.rows.rollouts.quarantines import open_quarantine
from bot.store.rows.rollouts.tables import quarantines, rebuilds
from tests.integration.store.conftest import ON_BOTH
from tests.integration.store.filling import ASPNET, HOUR, Stores, digest, usage_of
from tests.integration.store.moving import moves_again, opened

ANN = Word("Ann", "not before we looked")
SHOP = "contoso/shop-0000"
Given = Callable[[Stores], Awaitable[Any]]


async def alter(stores: Stores, number: int, **values: Any) -> None:
    async with stores.database.transaction() as connection:
        await connection.execute(update(rebuilds).where(rebuilds.c.id == number).values(**values))


async def merges(stores: Stores, merging: Merging | None = Merging.SET) -> None:
    """The pull request for digest b is open, and set to merge by itself."""
    await stores.fill()
    await stores.plan_all()
    await opened(stores)
    await alter(stores, 1, merging=merging and merging.value)


async def superseded(stores: Stores, number: int = 1, letter: str = "c") -> None:
    """The next rebuild is to go on with it, in another rollout, once its window opens in three hours."""
    await moves_again(stores, letter)
    plan = await stores.planned(due_in=3 * HOUR, supersedes=(number,))
    later = [replace(each, pull_request=7) for each in plan.rebuilds]
    await stores.plan.save_plan(replace(plan, rebuilds=tuple(later)))


async def waits(stores: Stores, merging: Merging | None = Merging.SET) -> None:
    """So it is, and act has seen that nothing keeps it from merging meanwhile."""
    await merges(stores, merging)
    await superseded(stores)
    await look(stores)


async def look(stores: Stores) -> list[Job]:
    """Act has looked at what was due there, and found nothing to do."""
    jobs = await stores.jobs()
    for job in jobs:
        done = replace(job.rebuild, text_version=job.rebuild.facts_version, due_at=stores.clock.now())
        await stores.act.settle_rebuild(job.rebuild, done)
    return jobs


async def pause_all(stores: Stores) -> None:
    await stores.orders.pause(None, ANN)


async def pause_its_rollout(stores: Stores) -> None:
    await stores.orders.pause(2, ANN)


async def hold(stores: Stores) -> None:
    await stores.orders.hold(SHOP, ANN)


async def hold_the_later_one(stores: Stores) -> None:
    await stores.orders.hold("2", ANN)


async def quarantine_the_next_digest(stores: Stores) -> None:
    await stores.orders.quarantine("aspnet:10.0", ANN)


async def leave_the_fleet(stores: Stores) -> None:
    await stores.listing(Repository("contoso/other", "main"))


WORDS = [pause_all, pause_its_rollout, hold, hold_the_later_one, quarantine_the_next_digest, leave_the_fleet]


@ON_BOTH
@pytest.mark.parametrize("say", WORDS)
async def test_a_word_that_keeps_the_later_rebuild_takes_the_merge_back(stores: Stores, say: Given) -> None:
    await waits(stores)
    begins = (await stores.column(rebuilds, "due_at"))[1]
    await say(stores)
    [job] = await stores.jobs()
    assert (job.rebuild.id, job.rebuild.pull_request, job.is_later_kept) == (1, 7, True)
    assert (await stores.column(rebuilds, "due_at"))[1] == begins
    assert await stores.states() == ["superseded", "planned"]


@ON_BOTH
@pytest.mark.parametrize("say", [pause_all, hold])
async def test_so_does_one_that_also_keeps_what_supersedes_that(stores: Stores, say: Given) -> None:
    await merges(stores)
    await superseded(stores)
    await say(stores)
    await superseded(stores, 2, "d")
    assert [(job.rebuild.id, job.is_later_kept) for job in await stores.jobs()] == [(1, True)]


@ON_BOTH
async def test_what_was_taken_back_is_looked_at_no_more(stores: Stores) -> None:
    await waits(stores)
    await pause_all(stores)
    [job] = await stores.jobs()
    await stores.act.settle_rebuild(job.rebuild, replace(job.rebuild, merging=Merging.LEFT))
    stores.clock.advance(HOUR)
    assert await stores.jobs() == []


@ON_BOTH
@pytest.mark.parametrize("merging", [Merging.SET, Merging.FROZEN], ids=str)
async def test_what_may_still_merge_after_an_attempt_is_tried_again(stores: Stores, merging: Merging) -> None:
    await waits(stores)
    await pause_all(stores)
    [job] = await stores.jobs()
    await stores.act.save_progress(replace(job.rebuild, merging=merging))
    again = replace(job.rebuild, due_at=stores.clock.now() + HOUR)
    await stores.act.settle_rebuild(job.rebuild, again, succeeded=False)
    assert await stores.jobs() == []
    stores.clock.advance(HOUR)
    assert [job.rebuild.id for job in await stores.jobs()] == [1]


@ON_BOTH
async def test_while_the_later_one_only_waits_for_its_window_or_wave_it_merges_as_before(stores: Stores) -> None:
    await merges(stores)
    await superseded(stores)
    [job] = await look(stores)
    assert (job.rebuild.id, job.is_later_kept, job.is_paused, job.quarantined) == (1, False, False, {})
    assert await stores.jobs() == []
    await alter(stores, 2, released_at=None, due_at=stores.clock.now())
    assert await stores.jobs() == []


@ON_BOTH
@pytest.mark.parametrize("is_planned_first", [False, True])
async def test_a_quarantine_of_the_digest_that_its_branch_carries_takes_the_merge_back(
    stores: Stores, is_planned_first: bool
) -> None:
    await merges(stores)
    if is_planned_first:
        await superseded(stores)
        await look(stores)
        async with stores.database.transaction() as connection:
            await open_quarantine(connection, 1, digest("b"), "Ann", "it does not start", stores.clock.now())
    else:
        await stores.orders.quarantine("aspnet:10.0", Word("Ann", "it does not start"))
        await superseded(stores)
    assert await stores.quarantine.lift_published() == 0
    [job] = await stores.jobs()
    assert (job.rebuild.id, job.quarantined) == (1, {ASPNET: "it does not start (Ann)"})
    assert await stores.column(rebuilds, "quarantine_id") == [None, None]


@ON_BOTH
async def test_that_quarantine_ends_once_the_branch_is_taken_over(stores: Stores) -> None:
    await merges(stores)
    await stores.orders.quarantine("aspnet:10.0", ANN)
    await superseded(stores)
    await alter(stores, 2, state=RebuildState.OPEN.value)
    assert await stores.quarantine.lift_published() == 1
    assert await stores.column(quarantines, "digest") == [digest("b")]


@ON_BOTH
async def test_what_merges_meanwhile_is_looked_at_once_when_other_freezes_hold(stores: Stores) -> None:
    await waits(stores)
    for freezes, due in ((7, [1]), (7, []), (0, [1])):
        await stores.act.notice_freezes(freezes)
        assert [job.rebuild.id for job in await look(stores)] == due


@ON_BOTH
@pytest.mark.parametrize(
    "word", [RepositoryConfig(enabled=False), RepositoryConfig(action=ActionPreference.DISPATCH)]
)
async def test_and_once_when_its_repository_wants_no_pull_request(stores: Stores, word: RepositoryConfig) -> None:
    await waits(stores)
    stores.clock.advance(24 * HOUR)
    await stores.read(Reading("tree-2", ((usage_of(ASPNET), ASPNET),), config=word))
    [job] = await stores.jobs()
    assert (job.rebuild.id, job.member.config) == (1, word)


@ON_BOTH
async def test_and_once_when_other_rules_hold(stores: Stores) -> None:
    await stores.act.notice_policy(1)
    await waits(stores)
    await stores.act.notice_policy(2)
    assert [job.rebuild.id for job in await look(stores)] == [1]
    assert await stores.jobs() == []


@ON_BOTH
@pytest.mark.parametrize("merging", [None, Merging.WANTED, Merging.LEFT], ids=str)
async def test_what_the_bot_has_not_set_to_merge_is_not_looked_at(stores: Stores, merging: Merging | None) -> None:
    await merges(stores, merging)
    await superseded(stores)
    await pause_all(stores)
    assert await stores.jobs() == []


@ON_BOTH
async def test_once_the_later_one_has_begun_the_earlier_is_left_alone(stores: Stores) -> None:
    await waits(stores)
    await alter(stores, 2, state=RebuildState.OPEN.value)
    await pause_all(stores)
    assert await stores.jobs() == []


@ON_BOTH
async def test_whoever_holds_the_earlier_one_as_the_later_begins_stops_before_the_next_write(
    stores: Stores,
) -> None:
    await merges(stores)
    await superseded(stores)
    stores.clock.advance(3 * HOUR)
    await alter(stores, 2, released_at=stores.clock.now())
    earlier, later = sorted(await stores.jobs(), key=lambda job: job.rebuild.id)
    after = later.rebuild.moved(RebuildState.OPEN, "it is open", at=stores.clock.now())
    await stores.act.settle_rebuild(later.rebuild, replace(after, merging=Merging.SET))
    with pytest.raises(LeaseLost):
        await stores.act.save_progress(replace(earlier.rebuild, merging=Merging.FROZEN))
    assert await stores.column(rebuilds, "merging") == [None, Merging.SET]


@ON_BOTH
async def test_only_the_last_that_has_set_it_to_merge_is_asked(stores: Stores) -> None:
    await waits(stores)
    stores.clock.advance(3 * HOUR)
    await alter(stores, 2, released_at=stores.clock.now())
    await opened(stores)
    await alter(stores, 2, merging=Merging.SET.value)
    await superseded(stores, 2, "d")
    await look(stores)
    await pause_all(stores)
    assert [job.rebuild.id for job in await stores.jobs()] == [2]
