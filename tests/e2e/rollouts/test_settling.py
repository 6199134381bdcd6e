"""Changes that wait for those that follow them, and the severe one that does not."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest_asyncio

from bot.domain.rollouts.rebuild import State
from sandbox.fleets.fleet import ASPNET, RUNTIME_TAG, WEEKLY_REBUILD
from sandbox.world import World
from tests.e2e.conftest import Stage, settled
from tests.migrated import new_sqlite

BASE = f"{ASPNET}:{RUNTIME_TAG}"

POLICY = (
    {"match": {"causes": ["dotnet-security"], "min_severity": "high"}, "settle": "0s"},
    {"match": {}, "settle": "6h"},
)


@pytest_asyncio.fixture
async def patient(world: World, tmp_path: Path) -> AsyncIterator[Stage]:
    """The sample fleet under a policy that lets changes settle for six hours."""
    async with AsyncExitStack() as exits:
        store_url = new_sqlite(tmp_path / "freshness.db")
        yield await settled(world, tmp_path, store_url, exits, policy=POLICY)


async def opened(stage: Stage) -> bool:
    return len(await stage.world.github.pull_requests("payments-api")) == 1


async def test_nothing_is_done_before_the_settle_time_is_over(patient: Stage) -> None:
    await patient.fleet.publish_runtime("10.0.1")

    await patient.run_pass()

    assert not await opened(patient)
    assert (await patient.states())["payments-api"] is State.PLANNED
    patient.clock.ahead += timedelta(hours=6, minutes=1)
    await patient.run_pass()
    assert await opened(patient)


async def test_a_move_within_the_settle_time_makes_no_second_rebuild_and_no_longer_wait(patient: Stage) -> None:
    await patient.fleet.publish_runtime("10.0.1")
    await patient.run_pass()
    patient.clock.ahead += timedelta(hours=5)
    await patient.fleet.publish_runtime("10.0.2")
    await patient.run_pass()

    patient.clock.ahead += timedelta(hours=1, minutes=1)
    await patient.run_pass()

    assert await opened(patient)
    assert len(patient.world.github.runs("catalog-web")) == 1


async def test_one_publication_that_is_seen_piece_by_piece_leads_to_one_pull_request_and_one_run(
    patient: Stage,
) -> None:
    sdk, aspnet = (f"{patient.fleet.registry}/{name}" for name in ("dotnet/sdk:10.0-noble", BASE))
    digests = patient.fleet.digests
    floating = f"FROM {sdk} AS build\nRUN make\nFROM {aspnet}\nCOPY --from=build /app /app\n"
    pinned = floating.replace(sdk, f"{sdk}@{digests['dotnet/sdk:10.0-noble']}").replace(
        aspnet, f"{aspnet}@{digests[BASE]}"
    )
    await patient.world.github.create_repository("pinned", {"Dockerfile": pinned})
    await patient.world.github.create_repository(
        "floating", {"Dockerfile": floating, ".github/workflows/weekly-rebuild.yml": WEEKLY_REBUILD}
    )
    await patient.run_pass()
    await patient.fleet.publish_runtime("10.0.1")
    await patient.run_pass()
    patient.clock.ahead += timedelta(minutes=30)
    await patient.fleet.publish_sdk("10.0.1")
    await patient.run_pass()

    patient.clock.ahead += timedelta(hours=6)
    await patient.run_pass()

    [request] = await patient.world.github.pull_requests("pinned")
    text = await patient.world.github.read("pinned", "Dockerfile", request["head"]["ref"])
    assert all(f"{name}@{digests[name]}" in text for name in ("dotnet/sdk:10.0-noble", BASE))
    assert len(patient.world.github.runs("floating")) == 1
    [message] = await patient.world.slack.messages()
    assert "waiting" not in message["text"]


async def test_a_change_that_turns_out_to_be_a_severe_fix_waits_no_longer(patient: Stage) -> None:
    await patient.fleet.publish_runtime("10.0.1")
    await patient.run_pass()
    assert not await opened(patient)
    patient.world.feeds.publish_advisory(
        "CVE-2026-21218",
        severity="high",
        package="Microsoft.AspNetCore.App.Runtime.linux-x64",
        affected=">= 10.0.0, <= 10.0.0",
        patched="10.0.1",
    )
    patient.fleet.announce("10.0.1", security=True, cves=("CVE-2026-21218",))

    patient.clock.ahead += timedelta(minutes=15)
    await patient.run_pass()

    assert await opened(patient)


async def test_a_pull_request_merged_while_the_next_digest_settles_is_followed_by_another(patient: Stage) -> None:
    await patient.fleet.publish_runtime("10.0.1")
    await patient.run_pass()
    patient.clock.ahead += timedelta(hours=6, minutes=1)
    await patient.run_pass()
    [first] = await patient.world.github.pull_requests("payments-api")
    await patient.fleet.publish_runtime("10.0.2")
    await patient.run_pass()
    await patient.world.github.merge("payments-api", first["number"])

    patient.clock.ahead += timedelta(hours=6, minutes=1)
    await patient.run_pass()

    [second] = await patient.world.github.pull_requests("payments-api")
    assert second["number"] != first["number"]
    newest = patient.fleet.digests["dotnet/aspnet:10.0-noble-chiseled"]
    assert newest in await patient.world.github.read("payments-api", "Dockerfile", second["head"]["ref"])


async def test_an_opt_out_is_heeded_while_a_change_settles(patient: Stage) -> None:
    await patient.fleet.publish_runtime("10.0.1")
    await patient.run_pass()
    await patient.world.github.push("payments-api", {".github/freshness.yaml": "enabled: false\n"})

    patient.clock.ahead += timedelta(hours=6, minutes=1)
    await patient.run_pass()

    assert await patient.world.github.pull_requests("payments-api") == []
    rebuild = (await patient.rebuilds())["payments-api"]
    assert rebuild.state is State.SKIPPED
    assert "opted out" in rebuild.reason
