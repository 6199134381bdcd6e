"""`ActStore` and `FollowStore`, in memory and on both databases."""

from dataclasses import replace

import pytest

from bot.domain.clock import ManualClock
from bot.domain.failure import LeaseLost
from bot.domain.forge.pull_requests import PullRequestState
from bot.domain.rollouts.rebuild import Merging, Rebuild, RebuildState, Target
from bot.domain.rollouts.reopening import after_closing
from bot.fleet.act.ports import ActStore, Job
from bot.fleet.follow.tick import FollowStore
from bot.store.rows.rollouts.tables import rebuilds
from tests.builders import rebuild
from tests.fakes.stores.rebuilds import FakeRebuildStore, following
from tests.integration.store.contracts.conftest import Steal
from tests.integration.store.filling import ASPNET, HOUR, Stores, digest

SHOP = "contoso/shop-0000"


@pytest.fixture
async def act(real: Stores | None, clock: ManualClock) -> ActStore:
    """One planned rebuild, due now."""
    if real is not None:
        await real.fill()
        await real.plan_all()
        return real.act
    targets = (Target(ASPNET, digest("a"), digest("b"), (1,)),)
    now = clock.now()
    planned = rebuild(
        SHOP, RebuildState.PLANNED, pull_request=None, url=None, targets=targets, due_at=now, planned_at=now
    )
    return following(clock, planned)


@pytest.fixture
def follow(real: Stores | None, act: ActStore) -> FollowStore:
    """The same rows, as whoever follows them sees them."""
    if real is not None:
        return real.follow
    assert isinstance(act, FakeRebuildStore)
    return act


async def jobs(act: ActStore, clock: ManualClock) -> list[Job]:
    claims = await act.jobs.claim(clock.now(), 10)
    return [await act.jobs.read(claimed) for claimed in claims]


async def followed(follow: FollowStore, clock: ManualClock) -> list[Rebuild]:
    claims = await follow.followed.claim(clock.now(), 10)
    return [await follow.followed.read(claimed) for claimed in claims]


async def opened(act: ActStore, clock: ManualClock) -> Rebuild:
    [job] = await jobs(act, clock)
    after = job.rebuild.moved(RebuildState.OPEN, "opened", at=clock.now())
    after = replace(after, pull_request=7, text_version=job.rebuild.facts_version, due_at=clock.now() + HOUR)
    await act.settle_rebuild(job.rebuild, after)
    return after


async def test_what_awaits_its_action_is_acted_on_and_not_followed(
    act: ActStore, follow: FollowStore, clock: ManualClock
) -> None:
    assert await followed(follow, clock) == []
    [job] = await jobs(act, clock)
    assert (job.rebuild.state, job.rebuild.attempts, job.rebuild.repository) == (RebuildState.PLANNED, 1, SHOP)
    assert await jobs(act, clock) == []


async def test_what_is_open_is_followed_once_it_is_due(
    act: ActStore, follow: FollowStore, clock: ManualClock
) -> None:
    await opened(act, clock)
    assert await followed(follow, clock) == []
    clock.advance(HOUR)
    [found] = await followed(follow, clock)
    assert (found.state, found.pull_request, found.reason, found.attempts) == (RebuildState.OPEN, 7, "opened", 1)
    assert await jobs(act, clock) == []


async def test_what_has_ended_is_never_due_again(act: ActStore, follow: FollowStore, clock: ManualClock) -> None:
    await opened(act, clock)
    clock.advance(HOUR)
    [found] = await followed(follow, clock)
    await follow.settle_rebuild(found, found.moved(RebuildState.CANCELLED, "closed", at=clock.now()))
    clock.advance(48 * HOUR)
    assert (await jobs(act, clock), await followed(follow, clock)) == ([], [])


async def test_an_open_pull_request_without_the_newest_facts_is_left_to_act(
    act: ActStore, follow: FollowStore, clock: ManualClock
) -> None:
    after = await opened(act, clock)
    clock.advance(HOUR)
    [found] = await followed(follow, clock)
    await follow.settle_rebuild(found, replace(after, facts_version=after.facts_version + 1, due_at=clock.now()))
    assert await followed(follow, clock) == []
    assert [job.rebuild.id for job in await jobs(act, clock)] == [after.id]


async def test_a_failed_attempt_keeps_the_intent_that_it_stored(act: ActStore, clock: ManualClock) -> None:
    """Else the next attempt would not know that the effect may have happened already."""
    [job] = await jobs(act, clock)
    intent = replace(job.rebuild, attempted_at=clock.now(), correlation="freshness-1")
    await act.save_progress(intent)
    waiting = job.rebuild.moved(RebuildState.WAITING, "no answer", at=clock.now())
    await act.settle_rebuild(job.rebuild, waiting, succeeded=False)
    [again] = [job.rebuild for job in await jobs(act, clock)]
    assert (again.correlation, again.attempted_at) == ("freshness-1", intent.attempted_at)
    assert (again.state, again.reason, again.attempts) == (RebuildState.WAITING, "no answer", 2)


async def test_what_is_put_off_says_why_and_counts_the_attempt(act: ActStore, clock: ManualClock) -> None:
    await act.jobs.put_off(await act.jobs.claim(clock.now(), 10), clock.now() + HOUR, error="no answer")
    assert await jobs(act, clock) == []
    clock.advance(HOUR)
    [job] = await jobs(act, clock)
    assert (job.rebuild.reason, job.rebuild.attempts, job.rebuild.state) == ("no answer", 2, RebuildState.PLANNED)


async def test_whoever_lost_the_lease_stores_nothing(act: ActStore, clock: ManualClock, steal: Steal) -> None:
    [job] = await jobs(act, clock)
    await steal(act.jobs, rebuilds, job.rebuild.id)
    with pytest.raises(LeaseLost):
        await act.save_progress(replace(job.rebuild, correlation="late"))
    with pytest.raises(LeaseLost):
        await act.settle_rebuild(job.rebuild, job.rebuild.moved(RebuildState.OPEN, "late", at=clock.now()))
    clock.advance(HOUR)
    [again] = await jobs(act, clock)
    assert (again.rebuild.state, again.rebuild.correlation) == (RebuildState.PLANNED, None)


async def test_a_pull_request_is_outdated_by_what_gets_its_bases_rebuilt_in_another_way(
    act: ActStore, follow: FollowStore, clock: ManualClock
) -> None:
    after = await opened(act, clock)
    await act.outdate_pull_requests(after)
    assert await followed(follow, clock) == []
    assert [job.rebuild.id for job in await jobs(act, clock)] == [after.id]


async def test_looks_that_found_nothing_are_counted_until_one_finds_something(
    act: ActStore, follow: FollowStore, clock: ManualClock
) -> None:
    await opened(act, clock)
    counted = []
    for succeeded in (False, True, False):
        clock.advance(HOUR)
        [found] = await followed(follow, clock)
        after = replace(found, looks_in_vain=found.looks_in_vain + 1)
        await follow.settle_rebuild(found, after, succeeded=succeeded)
        counted.append(found.looks_in_vain)
    assert counted == [0, 1, 0]


async def test_refusals_are_counted_and_what_hinders_is_kept_until_an_attempt_goes_through(
    act: ActStore, follow: FollowStore, clock: ManualClock
) -> None:
    await opened(act, clock)
    kept = []
    for succeeded in (False, True, False):
        clock.advance(HOUR)
        [found] = await followed(follow, clock)
        after = replace(found, refusals=found.refusals + 1, hindered_by="not for you")
        await follow.settle_rebuild(found, after, succeeded=succeeded)
        kept.append((found.refusals, found.hindered_by))
    assert kept == [(0, None), (1, "not for you"), (0, None)]


async def test_what_outdates_a_pull_request_while_somebody_follows_it_is_not_lost(
    act: ActStore, follow: FollowStore, clock: ManualClock
) -> None:
    """A quarantine or a freeze would else leave what it stops to merge by itself."""
    after = await opened(act, clock)
    clock.advance(HOUR)
    [found] = await followed(follow, clock)
    await act.outdate_pull_requests(after)
    await follow.settle_rebuild(found, replace(found, due_at=clock.now() + 23 * HOUR))
    assert [job.rebuild.id for job in await jobs(act, clock)] == [after.id]


async def test_what_outdates_a_pull_request_while_it_is_written_has_it_written_once_more(
    act: ActStore, clock: ManualClock
) -> None:
    after = await opened(act, clock)
    await act.outdate_pull_requests(after)
    [job] = await jobs(act, clock)
    await act.outdate_pull_requests(after)
    await act.save_progress(replace(job.rebuild, merging=Merging.WANTED))
    done = replace(job.rebuild, text_version=job.rebuild.facts_version, due_at=clock.now() + 23 * HOUR)
    await act.settle_rebuild(job.rebuild, done)
    assert [each.rebuild.id for each in await jobs(act, clock)] == [after.id]


async def test_an_attempt_that_fails_does_not_put_off_what_was_said_while_it_went_on(
    act: ActStore, follow: FollowStore, clock: ManualClock
) -> None:
    after = await opened(act, clock)
    clock.advance(HOUR)
    [found] = await followed(follow, clock)
    await act.outdate_pull_requests(after)
    await follow.settle_rebuild(found, replace(found, due_at=clock.now() + 23 * HOUR), succeeded=False)
    assert [job.rebuild.id for job in await jobs(act, clock)] == [after.id]


async def closed(act: ActStore, follow: FollowStore, clock: ManualClock) -> Rebuild:
    """What was opened, after its maintainers have closed it."""
    await opened(act, clock)
    clock.advance(HOUR)
    [found] = await followed(follow, clock)
    after = replace(found, node_id="PR_7").moved(RebuildState.CANCELLED, "closed", at=clock.now())
    await follow.settle_rebuild(found, replace(after, due_at=clock.now() + HOUR))
    return after


def again_of(known: Rebuild, clock: ManualClock) -> Rebuild:
    shown = PullRequestState(7, "https://forge/pull/7", is_open=True, is_merged=False)
    return after_closing(known, shown, clock.now())


async def test_a_closed_pull_request_is_looked_at_for_a_month(
    act: ActStore, follow: FollowStore, clock: ManualClock
) -> None:
    ended = await closed(act, follow, clock)
    assert await followed(follow, clock) == []
    clock.advance(HOUR)
    [found] = await followed(follow, clock)
    assert (found.id, found.state, found.node_id) == (ended.id, RebuildState.CANCELLED, "PR_7")
    await follow.settle_rebuild(found, replace(found, due_at=clock.now()))
    clock.advance(720 * HOUR)
    assert (await jobs(act, clock), await followed(follow, clock)) == ([], [])


async def test_what_is_opened_again_goes_on_as_another_of_the_same(
    act: ActStore, follow: FollowStore, clock: ManualClock
) -> None:
    await closed(act, follow, clock)
    clock.advance(HOUR)
    [found] = await followed(follow, clock)
    await follow.reopen(replace(found, due_at=clock.now() + HOUR), again_of(found, clock))
    [job] = await jobs(act, clock)
    again = job.rebuild
    assert again.id != found.id
    assert (again.state, again.pull_request, again.branch, again.targets) == (
        RebuildState.OPEN,
        7,
        found.branch,
        found.targets,
    )
    await act.settle_rebuild(again, replace(again, text_version=again.facts_version, due_at=clock.now()))
    assert [each.id for each in await followed(follow, clock)] == [again.id]
    clock.advance(2 * HOUR)
    assert found.id not in [each.id for each in await followed(follow, clock)]


async def test_whoever_lost_the_lease_opens_nothing_again(
    act: ActStore, follow: FollowStore, clock: ManualClock, steal: Steal
) -> None:
    await closed(act, follow, clock)
    clock.advance(HOUR)
    [found] = await followed(follow, clock)
    await steal(follow.followed, rebuilds, found.id)
    with pytest.raises(LeaseLost):
        await follow.reopen(replace(found, due_at=clock.now() + HOUR), again_of(found, clock))
    assert await jobs(act, clock) == []
