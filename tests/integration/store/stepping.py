"""Rebuilds whose builds are green, so that the turn of their steps has come."""

from dataclasses import replace

from bot.domain.evidence import ImageVerdict
from bot.domain.rollouts.after_build import after_green_build, after_proof
from bot.domain.rollouts.rebuild import Action, RebuildState
from bot.domain.rollouts.terms import Start, Step
from tests.integration.store.filling import Stores

STEPS = (
    Step("canary", "deploy.yml"),
    Step("load", "load.yml", start=Start.OBSERVE),
    Step("production", "deploy.yml", "contoso/rollouts"),
)
COMMIT = "c" * 40


async def built(stores: Stores, repositories: int = 1) -> None:
    """Every repository is rebuilt by a run, which is green."""
    await stores.fill(repositories=repositories)
    await stores.plan_all(action=Action.DISPATCH, branch=None, workflow="weekly.yml", steps=STEPS)
    now = stores.clock.now()
    for job in await stores.jobs():
        started = replace(
            job.rebuild.moved(RebuildState.DISPATCHED, "started", at=now), run=job.rebuild.id, attempted_at=now
        )
        await stores.act.settle_rebuild(job.rebuild, started)
    for rebuild in await stores.followed():
        proving = after_green_build(replace(rebuild, built_commit=COMMIT), "green", now=now)
        await stores.follow.settle_rebuild(rebuild, proving)
    for item in await stores.taken(stores.proving.proving):
        await stores.proving.settle_rebuild(
            item.rebuild, after_proof(item.rebuild, ImageVerdict.PROVED, "seen", now=now)
        )
