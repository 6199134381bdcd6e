"""What a summary counts: ends within the span, pull requests that nobody merges, failures that nothing followed."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from bot.domain.rollouts.journal import Word
from bot.domain.rollouts.rebuild import Action, RebuildState
from bot.domain.rollouts.rollout import Occasion
from bot.domain.rollouts.timing.waiting import RolloutOptions
from bot.store.rows.bases.tables import changes
from bot.store.rows.rollouts.tables import rollouts
from bot.views.fleet.fleet import Standing
from bot.views.fleet.summary import as_json
from tests.integration.store.filling import HOUR, Stores
from tests.integration.store.moving import ended

DAY = 24 * HOUR


async def test_it_counts_what_ended_within_the_span_by_rollout(stores: Stores) -> None:
    await stores.fill(4)
    await stores.plan_all()
    ends = (RebuildState.SUCCEEDED, RebuildState.SUCCEEDED, RebuildState.FAILED)
    for job, state in zip(await stores.jobs(10), ends, strict=False):
        ended = job.rebuild.moved(state, "done", at=stores.clock.now())
        await stores.act.settle_rebuild(job.rebuild, ended)
    found = await stores.summary.summary(stores.clock.now() - DAY)
    assert (found.succeeded, found.failed, found.planned) == (2, 1, 1)
    [rollout] = found.rollouts
    assert (rollout.id, rollout.succeeded, rollout.failed) == (1, 2, 1)
    stores.clock.advance(2 * DAY)
    later = await stores.summary.summary(stores.clock.now() - DAY)
    assert (later.succeeded, later.rollouts_in_all) == (0, 0)


async def test_it_counts_apart_what_was_built_and_is_not_proven(stores: Stores) -> None:
    await stores.fill(4)
    await stores.plan_all(action=Action.DISPATCH, branch=None, workflow="weekly.yml")
    await ended(stores, RebuildState.BUILT, RebuildState.SUCCEEDED, RebuildState.MERGED, RebuildState.MERGED)
    found = await stores.summary.summary(stores.clock.now() - DAY)
    assert as_json(found)["rebuilt"] == {"succeeded": 1, "unproven": 1, "merged": 2, "failed": 0}
    assert [(each.unproven, each.merged) for each in found.rollouts] == [(1, 2)]


@pytest.mark.parametrize(
    ("occasion", "title"),
    [
        (Occasion.AGE, "Weekly rebuild of what would grow too old"),
        (Occasion.CATCH_UP, "Catching up with what bases"),
    ],
)
async def test_a_rollout_that_no_change_has_set_off_is_told_by_what_it_is_for(
    stores: Stores, occasion: Occasion, title: str
) -> None:
    await stores.fill(1)
    await stores.plan_all()
    [job] = await stores.jobs(10)
    ended = job.rebuild.moved(RebuildState.SUCCEEDED, "done", at=stores.clock.now())
    await stores.act.settle_rebuild(job.rebuild, ended)
    async with stores.database.transaction() as connection:
        await connection.execute(update(rollouts).values(occasion=occasion.value))
        await connection.execute(update(changes).values(rollout_id=None))
    [rollout] = (await stores.summary.summary(stores.clock.now() - DAY)).rollouts
    assert rollout.title.startswith(title)


async def test_a_pull_request_is_stuck_after_two_days_and_a_failure_at_once(stores: Stores) -> None:
    await stores.fill(2)
    await stores.plan_all()
    unmerged, broken = [job.rebuild for job in await stores.jobs(10)]
    now = stores.clock.now()
    opened = replace(unmerged.moved(RebuildState.OPEN, "opened", at=now), attempted_at=now, due_at=now + DAY)
    await stores.act.settle_rebuild(unmerged, opened)
    await stores.act.settle_rebuild(broken, broken.moved(RebuildState.FAILED, "checks failed", at=now))
    soon = await stores.summary.summary(now - DAY)
    assert [each.rebuild.id for each in soon.stuck] == [broken.id]
    stores.clock.advance(2 * DAY)
    later = await stores.summary.summary(now - DAY)
    assert [(each.rebuild.id, each.since) for each in later.stuck] == [(unmerged.id, now), (broken.id, now)]
    assert later.stuck_in_all == 2


async def test_whoever_is_waited_for_is_who_needs_you(stores: Stores) -> None:
    """A green pull request after a day, and one that lacks something after two."""
    await stores.fill(2)
    await stores.plan_all()
    now = stores.clock.now()
    jobs = await stores.jobs(10)
    for job, ready_since in zip(jobs, (now, None), strict=True):
        opened = job.rebuild.moved(RebuildState.OPEN, "opened", at=now)
        opened = replace(opened, attempted_at=now, ready_since=ready_since, due_at=now + 9 * DAY)
        await stores.act.settle_rebuild(job.rebuild, opened)
    for number in (1, 2):
        stores.clock.advance(DAY)
        found = await stores.summary.summary(now - DAY)
        waiting = {need.rebuild for group in found.needs.groups for need in group.first}
        assert {each.rebuild.id for each in found.stuck} == waiting == {job.rebuild.id for job in jobs[:number]}
        assert found.stuck_in_all == found.needs.number


async def failed_and_not_tried(stores: Stores) -> int:
    """A failure whose retry was skipped, since its workflow is gone; the failure's number."""
    await stores.fill(1)
    await stores.plan_all()
    [job] = await stores.jobs()
    broken = job.rebuild.moved(RebuildState.FAILED, "checks failed", at=stores.clock.now())
    await stores.act.settle_rebuild(job.rebuild, broken)
    assert await stores.orders.retry("contoso/shop-0000", Word("Ann", "again")) == 1
    [again] = await stores.jobs()
    skipped = again.rebuild.moved(RebuildState.SKIPPED, "weekly.yml is missing", at=stores.clock.now())
    await stores.act.settle_rebuild(again.rebuild, skipped)
    return broken.id


async def test_a_failure_whose_retry_was_skipped_is_still_one(stores: Stores) -> None:
    broken = await failed_and_not_tried(stores)
    found = await stores.summary.summary(stores.clock.now() - DAY)
    assert [each.rebuild.id for each in found.stuck] == [broken]
    assert (found.failed, found.stuck_in_all) == (1, 1)


async def test_a_rollout_shows_a_failure_whose_retry_was_skipped_once_and_as_failed(stores: Stores) -> None:
    broken = await failed_and_not_tried(stores)
    news = await stores.report.rollout(1)
    assert ([each.id for each in news.named_rebuilds], news.states) == ([broken], {RebuildState.FAILED: 1})
    assert [each.id for each in await stores.rollout_views.rebuilds_of(1)] == [broken]
    [progress] = await stores.rollout_views.progress(RolloutOptions(), stores.clock.now(), number=1)
    assert progress.states == {RebuildState.FAILED: 1}
    status = await stores.fleet_views.status()
    assert [each.id for each in status.rebuilds if each.id not in status.tried_again] == [broken]


async def test_the_standings_before_are_those_of_the_last_day_that_was_counted(stores: Stores) -> None:
    await stores.fill(3)
    await stores.standing.count()
    stores.clock.advance(8 * DAY)
    await stores.plan_all()
    await stores.standing.count()
    found = await stores.summary.summary(stores.clock.now() - timedelta(days=7))
    assert sum(found.before.values()) == 3
    assert found.standings[Standing.BEHIND] == 3
