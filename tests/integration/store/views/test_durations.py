"""How long the fleet's own rebuilds took is read from those that succeeded."""

from dataclasses import replace
from datetime import timedelta

from bot.domain.rollouts.rebuild import Action, RebuildState
from bot.views.rollouts.rollout import OwnDurations
from tests.integration.store.filling import Stores

TOOK = timedelta(minutes=17)


async def ended(stores: Stores, state: RebuildState) -> None:
    """Every planned rebuild is attempted now and ends in `state` after a while."""
    for job in await stores.jobs(100):
        began = replace(job.rebuild, attempted_at=stores.clock.now())
        await stores.act.save_progress(began)
        stores.clock.advance(TOOK)
        opened = began.moved(RebuildState.OPEN, "opened", at=stores.clock.now())
        await stores.act.settle_rebuild(began, opened.moved(state, "ended", at=stores.clock.now()))


async def test_what_succeeded_tells_how_long_it_took(stores: Stores) -> None:
    await stores.fill()
    await stores.plan_all()
    await ended(stores, RebuildState.SUCCEEDED)
    assert await stores.rollout_views.durations() == OwnDurations(merges=(TOOK,))


async def test_runs_are_told_apart_from_pull_requests(stores: Stores) -> None:
    await stores.fill()
    await stores.plan_all(action=Action.DISPATCH, branch=None, workflow="weekly.yml")
    for job in await stores.jobs(100):
        began = replace(job.rebuild, attempted_at=stores.clock.now())
        await stores.act.save_progress(began)
        stores.clock.advance(TOOK)
        started = began.moved(RebuildState.DISPATCHED, "started", at=stores.clock.now())
        await stores.act.settle_rebuild(
            began, started.moved(RebuildState.SUCCEEDED, "green", at=stores.clock.now())
        )
    assert await stores.rollout_views.durations() == OwnDurations(builds=(TOOK,))


async def test_what_failed_tells_nothing(stores: Stores) -> None:
    await stores.fill()
    await stores.plan_all()
    await ended(stores, RebuildState.FAILED)
    assert await stores.rollout_views.durations() == OwnDurations()
