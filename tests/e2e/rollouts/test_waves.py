"""A rollout goes wave by wave, stops when it fails too much or a person says so, and goes on when told."""

from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.rollouts.journal import Word
from bot.domain.rollouts.rebuild import RebuildState
from bot.store.orders.orders import OrdersStore
from bot.store.views.rollouts import RolloutViewsStore
from sandbox.fleets.fleet import ASPNET, RUNTIME_TAG, WEEKLY_REBUILD
from sandbox.world import World
from tests.e2e.publishing import move
from tests.e2e.sample import SETTLED
from tests.e2e.staging import Stage, settled
from tests.migrated import new_sqlite

CANARIES = ("catalog-web", "canary-two", "canary-three")
POLICY: tuple[dict[str, object], ...] = (
    {"match": {"repositories": [f"contoso/{name}" for name in CANARIES]}, "wave": "canary", "settle": "0s"},
    {"match": {}, "wave": "rest", "settle": "0s"},
)
ROLLOUT = {
    "waves": [{"name": "canary", "soak": "4h"}, {"name": "rest"}],
    "pause_when_failed": "20%",
}
ANN = Word("Ann", "we look into it first")


async def add_canaries(stage: Stage) -> None:
    """Two more, which rebuild by a workflow as the first does, and the pass that sees them."""
    floating = f"FROM {stage.fleet.registry}/{ASPNET}:{RUNTIME_TAG}\nCOPY . /app\n"
    for name in CANARIES[1:]:
        files = {"Dockerfile": floating, ".github/workflows/weekly-rebuild.yml": WEEKLY_REBUILD}
        await stage.world.github.create_repository(name, files)
    await stage.run_pass()


IN_WAVES = SETTLED.under(policy=POLICY, rollout=ROLLOUT).then(add_canaries)
staged = IN_WAVES.fixture()
"""The sample fleet with three canaries before everybody else."""
begun = IN_WAVES.then(move).fixture()
"""The same, after its base has moved: the canaries are started."""


async def opened(stage: Stage) -> bool:
    return len(await stage.world.github.pull_requests("payments-api")) == 1


def started(stage: Stage) -> list[str]:
    return [name for name in CANARIES if stage.world.github.runs(name)]


def finish(stage: Stage, conclusion: str = "success", names: tuple[str, ...] = CANARIES) -> None:
    for name in names:
        for run in stage.world.github.runs(name):
            stage.world.github.finish_run(run.id, conclusion)


async def test_the_next_wave_begins_once_the_one_before_is_done_and_has_soaked(begun: Stage) -> None:
    assert started(begun) == list(CANARIES)
    assert (await begun.states())["payments-api"] is RebuildState.PLANNED
    finish(begun)
    await begun.run_pass()

    begun.clock.ahead += timedelta(hours=3, minutes=50)
    await begun.run_pass()

    assert not await opened(begun)
    begun.clock.ahead += timedelta(minutes=15)
    await begun.run_pass()
    assert await opened(begun)


@pytest.mark.long
async def test_a_base_that_moves_again_and_again_puts_nobody_off(world: World, tmp_path: Path) -> None:
    """Each move has the canaries rebuilt and soak anew; the last wave waits no longer than soak and patience."""
    waves = [{"name": "canary", "soak": "4h", "wait_at_most": "2h"}, {"name": "rest"}]
    async with AsyncExitStack() as exits:
        url = new_sqlite(tmp_path / "freshness.db")
        stage = await settled(world, tmp_path, url, exits, policy=POLICY, rollout={"waves": waves})
        begun: list[tuple[int, int]] = []
        for move, version in enumerate(("10.0.1", "10.0.2", "10.0.3"), 1):
            await stage.fleet.publish_runtime(version)
            await stage.run_pass()
            begun.append((len(stage.world.github.runs("catalog-web")), int(await opened(stage))))
            finish(stage, names=("catalog-web",))
            await stage.run_pass()
            assert begun[-1] == (move, 0)
            stage.clock.ahead += timedelta(hours=2, minutes=30)
        await stage.run_pass()

        assert await opened(stage)
        [request] = await stage.world.github.pull_requests("payments-api")
        assert stage.fleet.digests[f"{ASPNET}:{RUNTIME_TAG}"] in request["body"]


async def test_too_many_failures_stop_the_rollout_once_and_a_person_lets_it_go_on(begun: Stage) -> None:
    finish(begun, "failure", CANARIES[:2])
    finish(begun, "success", CANARIES[2:])
    await begun.run_pass()
    await begun.run_pass()
    begun.clock.ahead += timedelta(hours=5)
    await begun.run_pass()
    await begun.run_pass()

    assert not await opened(begun)
    [message] = await begun.world.slack.messages()
    answers = [answer["text"] for answer in await begun.world.slack.thread(message["ts"])][1:]
    [told] = [text for text in answers if "is paused" in text]
    assert "2 of 3 ended rebuilds failed, more than 20%" in told
    [failed] = [text for text in answers if "in wave canary failed" in text]
    assert failed.startswith("2 of 3 rebuilds")
    assert len(answers) == 2
    [rollout] = await begun.bot.stores[RolloutViewsStore].rollouts(1)
    assert await begun.bot.stores[OrdersStore].resume(rollout.id, ANN)
    await begun.run_pass()
    begun.clock.ahead += timedelta(hours=4, minutes=5)
    await begun.run_pass()
    assert await opened(begun)
    [entry] = await begun.bot.stores[OrdersStore].entries(10)
    assert (entry.word, entry.what, entry.subject) == (ANN, "resume", f"rollout {rollout.id}")


@pytest.mark.long
async def test_a_severe_fix_waits_for_no_wave(staged: Stage) -> None:
    staged.world.feeds.publish_advisory(
        "CVE-2026-21218",
        severity="high",
        package="Microsoft.AspNetCore.App.Runtime.linux-x64",
        affected=">= 10.0.0, <= 10.0.0",
        patched="10.0.1",
    )
    staged.fleet.announce("10.0.1", security=True, cves=("CVE-2026-21218",))
    await staged.fleet.publish_runtime("10.0.1")

    staged.clock.ahead += timedelta(minutes=15)
    await staged.run_pass()

    assert await opened(staged)


async def test_a_paused_rollout_begins_nothing_until_it_is_resumed(begun: Stage) -> None:
    [rollout] = await begun.bot.stores[RolloutViewsStore].rollouts(1)
    await begun.bot.stores[OrdersStore].pause(rollout.id, ANN)
    finish(begun)
    await begun.run_pass()
    begun.clock.ahead += timedelta(hours=5)

    await begun.run_pass()

    assert not await opened(begun)
    await begun.bot.stores[OrdersStore].resume(rollout.id, ANN)
    await begun.run_pass()
    begun.clock.ahead += timedelta(hours=5)
    await begun.run_pass()
    assert await opened(begun)


async def test_a_cancelled_rollout_closes_its_pull_requests_with_the_reason(begun: Stage) -> None:
    finish(begun)
    await begun.run_pass()
    begun.clock.ahead += timedelta(hours=5)
    await begun.run_pass()
    [request] = await begun.world.github.pull_requests("payments-api")
    [rollout] = await begun.bot.stores[RolloutViewsStore].rollouts(1)

    await begun.bot.stores[OrdersStore].cancel(rollout.id, ANN, keep=False)
    await begun.run_pass()

    assert await begun.world.github.pull_requests("payments-api") == []
    rebuild = (await begun.rebuilds())["payments-api"]
    assert (rebuild.state, rebuild.pull_request) == (RebuildState.CANCELLED, request["number"])
    assert rebuild.reason == "cancelled by Ann: we look into it first"
    [ended] = await begun.bot.stores[RolloutViewsStore].rollouts(1)
    assert ended.ended_at is not None


async def test_nothing_is_built_on_a_quarantined_digest_and_the_next_one_lifts_that(staged: Stage) -> None:
    await staged.bot.stores[OrdersStore].pause(None, ANN)
    await staged.fleet.publish_runtime("10.0.1")
    await staged.run_pass()
    await staged.bot.stores[OrdersStore].quarantine(f"{ASPNET}:{RUNTIME_TAG}", ANN)
    await staged.bot.stores[OrdersStore].resume(None, ANN)
    await staged.run_pass()
    assert started(staged) == []
    texts = [message["text"] for message in await staged.world.slack.messages()]
    assert [text for text in texts if f"aspnet:{RUNTIME_TAG} is quarantined" in text]

    staged.clock.ahead += timedelta(hours=3)
    await staged.fleet.publish_runtime("10.0.2")
    await staged.run_pass()

    assert started(staged) == list(CANARIES)
    assert await staged.bot.stores[RolloutViewsStore].open_quarantines() == []


@pytest.mark.long
async def test_a_base_on_which_three_fail_twice_is_quarantined(begun: Stage) -> None:
    finish(begun)
    await begun.run_pass()
    begun.clock.ahead += timedelta(hours=3)
    await begun.fleet.publish_runtime("10.0.2")
    await begun.run_pass()
    for again in range(2):
        for name in CANARIES:
            running = [run for run in begun.world.github.runs(name) if run.conclusion is None]
            assert len(running) == 1, f"attempt {again}"
            begun.world.github.finish_run(running[0].id, "failure")
        await begun.run_pass()
        await begun.run_pass()

    [found] = await begun.bot.stores[RolloutViewsStore].open_quarantines()
    assert found.reason.startswith("3 of 3 repositories fail on it that were green on the digest before")
    assert found.digest == begun.fleet.digests[f"{ASPNET}:{RUNTIME_TAG}"]
    assert found.waiting == 3
    assert not await opened(begun)
