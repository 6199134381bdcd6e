"""The step *production*: it ends with what clusters tell, and its rebuild with it."""

from dataclasses import replace
from datetime import timedelta

from bot.domain.evidence import ImageVerdict
from bot.domain.rollouts.after_build import after_green_build, after_proof
from bot.domain.rollouts.rebuild import Action, Rebuild, RebuildState
from bot.domain.rollouts.terms import Start, Step
from bot.fleet.follow.steps.arriving import tick
from bot.fleet.follow.steps.rows import ArrivalStore
from bot.reconcile.loop import Loop
from bot.store.rows.rollouts.steps import steps
from tests.integration.store.conftest import ON_BOTH
from tests.integration.store.filling import Stores
from tests.integration.store.holding import FIXED, SSL, move_base, move_image, running
from tests.integration.store.running.snapshots import EUROPE, MINUTES, STALE, WEB, runs_in, tells

EVERY = timedelta(minutes=5)
PRODUCTION = Step("production", start=Start.RUNNING, environment="production")
API = replace(WEB, workload="api")


async def rebuilt(stores: Stores, verdict: ImageVerdict = ImageVerdict.PROVED) -> None:
    """`web` runs the build before the one that was made and proved just now."""
    await stores.running.follow([EUROPE])
    await running(stores, SSL)
    await tells(stores, *runs_in(WEB, "e"))
    await move_base(stores, FIXED)
    await stores.assess_all()
    await stores.plan_all(action=Action.DISPATCH, branch=None, workflow="weekly.yml", steps=(PRODUCTION,))
    [job] = await stores.jobs()
    now = stores.clock.now()
    started = job.rebuild.moved(RebuildState.DISPATCHED, "started", at=now)
    await stores.act.settle_rebuild(job.rebuild, replace(started, run=1, attempted_at=now))
    [rebuild] = await stores.followed()
    await move_image(stores, FIXED)
    now = stores.clock.now()
    await stores.follow.settle_rebuild(rebuild, after_green_build(rebuild, "green", now=now))
    [item] = await stores.taken(stores.proving.proving)
    await stores.proving.settle_rebuild(item.rebuild, after_proof(item.rebuild, verdict, "seen", now=now))


async def looked(stores: Stores) -> tuple[Rebuild, str]:
    """The rebuild, and why its step stands as it does, once what runs was looked at."""
    tally = await tick(stores[ArrivalStore], EVERY, Loop(stores.clock))
    assert tally.problems == ()
    [rebuild] = (await stores.repository_views.explain("contoso/shop")).rebuilds
    [reason] = await stores.column(steps, "reason")
    return rebuild, reason


@ON_BOTH
async def test_it_waits_while_an_older_build_runs_and_is_done_once_none_does(stores: Stores) -> None:
    await rebuilt(stores)
    await tells(stores, *runs_in(WEB, "e", "f"))
    rebuild, reason = await looked(stores)
    assert rebuild.state is RebuildState.STEPPING
    assert "still runs at shop/web in europe" in reason
    await tells(stores, *runs_in(WEB, "f"))
    rebuild, reason = await looked(stores)
    assert (rebuild.state, rebuild.reason) == (
        RebuildState.SUCCEEDED,
        "built, and its last step production succeeded",
    )
    assert reason == "1 place in production runs it, and nothing older"


async def test_it_is_stuck_once_its_time_is_over(stores: Stores) -> None:
    await rebuilt(stores)
    for _ in range(26):
        await tells(stores, *runs_in(WEB, "e"))
        rebuild, _ = await looked(stores)
    assert rebuild.state is RebuildState.FAILED
    assert rebuild.reason.startswith("built, but step production failed: not through within 2 h: an older build")
    assert "shop/web in europe" in rebuild.reason


async def test_a_hole_ends_nothing_and_takes_nothing_of_its_time(stores: Stores) -> None:
    await rebuilt(stores)
    await tells(stores, *runs_in(WEB, "e"))
    await looked(stores)
    for _ in range(48):
        stores.clock.advance(STALE + MINUTES)
        rebuild, reason = await looked(stores)
        assert rebuild.state is RebuildState.STEPPING
    assert reason.startswith("not all is known of what runs in production: europe was last read as a whole on")
    assert (await stores.column(steps, "attempts"))[0] >= 48
    await tells(stores, *runs_in(WEB, "e"))
    rebuild, _ = await looked(stores)
    assert rebuild.state is RebuildState.STEPPING
    await tells(stores, *runs_in(WEB, "f"))
    rebuild, _ = await looked(stores)
    assert rebuild.state is RebuildState.SUCCEEDED


async def test_what_the_image_has_shown_since_is_as_good(stores: Stores) -> None:
    await rebuilt(stores)
    await move_image(stores, FIXED, letter="7")
    await tells(stores, *runs_in(WEB, "f"), *runs_in(API, "7"))
    rebuild, reason = await looked(stores)
    assert (rebuild.state, reason) == (
        RebuildState.SUCCEEDED,
        "2 places in production run it, and nothing older",
    )


async def test_of_a_build_of_nobody_under_its_name_it_is_not_known_whether_it_is_older(stores: Stores) -> None:
    await rebuilt(stores)
    await tells(stores, *runs_in(WEB, "9"))
    rebuild, reason = await looked(stores)
    assert rebuild.state is RebuildState.STEPPING
    assert reason.startswith("it is not known whether what runs at shop/web in europe is older than that of")


async def test_what_was_not_proved_is_new_nowhere(stores: Stores) -> None:
    await rebuilt(stores, ImageVerdict.UNKNOWN)
    await tells(stores, *runs_in(WEB, "f"))
    rebuild, reason = await looked(stores)
    assert rebuild.state is RebuildState.STEPPING
    assert reason.startswith("it is not known whether what runs at shop/web in europe")


async def test_another_environment_is_another_step(stores: Stores) -> None:
    await stores.running.follow([EUROPE, replace(EUROPE, name="lab", environment="test")])
    await rebuilt(stores)
    await tells(stores, *runs_in(WEB, "f"))
    rebuild, reason = await looked(stores)
    assert (rebuild.state, reason) == (
        RebuildState.SUCCEEDED,
        "1 place in production runs it, and nothing older",
    )


async def test_no_workflow_is_looked_for_of_it(stores: Stores) -> None:
    await rebuilt(stores)
    assert await stores.taken(stores.steps.going) == []
    assert await stores.taken(stores.steps.to_start) == []
