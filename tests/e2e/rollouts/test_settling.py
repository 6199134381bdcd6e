"""Changes that wait for those that follow them, and the severe one that does not."""

from datetime import timedelta

from bot.domain.rollouts.rebuild import RebuildState
from sandbox.fleets.fleet import ASPNET, RUNTIME_TAG, WEEKLY_REBUILD
from tests.e2e.publishing import move
from tests.e2e.sample import SETTLED
from tests.e2e.staging import Stage

BASE = f"{ASPNET}:{RUNTIME_TAG}"

POLICY: tuple[dict[str, object], ...] = (
    {"match": {"causes": ["dotnet-security"], "min_severity": "high"}, "settle": "0s"},
    {"match": {}, "settle": "6h"},
)


PATIENT = SETTLED.under(policy=POLICY)
patient = PATIENT.fixture()
"""The sample fleet under a policy that lets changes settle for six hours."""
settling = PATIENT.then(move).fixture()
"""The same, whose base has just moved."""


async def opened(stage: Stage) -> bool:
    return len(await stage.world.github.pull_requests("payments-api")) == 1


async def test_nothing_is_done_before_the_settle_time_is_over(settling: Stage) -> None:
    assert not await opened(settling)
    assert (await settling.states())["payments-api"] is RebuildState.PLANNED
    settling.clock.ahead += timedelta(hours=6, minutes=1)
    await settling.run_pass()
    assert await opened(settling)


async def test_a_move_within_the_settle_time_makes_no_second_rebuild_and_no_longer_wait(settling: Stage) -> None:
    settling.clock.ahead += timedelta(hours=5)
    await settling.fleet.publish_runtime("10.0.2")
    await settling.run_pass()

    settling.clock.ahead += timedelta(hours=1, minutes=1)
    await settling.run_pass()

    assert await opened(settling)
    assert len(settling.world.github.runs("catalog-web")) == 1


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


async def test_a_change_that_turns_out_to_be_a_severe_fix_waits_no_longer(settling: Stage) -> None:
    assert not await opened(settling)
    settling.world.feeds.publish_advisory(
        "CVE-2026-21218",
        severity="high",
        package="Microsoft.AspNetCore.App.Runtime.linux-x64",
        affected=">= 10.0.0, <= 10.0.0",
        patched="10.0.1",
    )
    settling.fleet.announce("10.0.1", security=True, cves=("CVE-2026-21218",))

    settling.clock.ahead += timedelta(minutes=15)
    await settling.run_pass()

    assert await opened(settling)


async def test_a_pull_request_merged_while_the_next_digest_settles_is_followed_by_another(settling: Stage) -> None:
    settling.clock.ahead += timedelta(hours=6, minutes=1)
    await settling.run_pass()
    [first] = await settling.world.github.pull_requests("payments-api")
    await settling.fleet.publish_runtime("10.0.2")
    await settling.run_pass()
    await settling.world.github.merge("payments-api", first["number"])

    settling.clock.ahead += timedelta(hours=6, minutes=1)
    await settling.run_pass()

    [second] = await settling.world.github.pull_requests("payments-api")
    assert second["number"] != first["number"]
    newest = settling.fleet.digests["dotnet/aspnet:10.0-noble-chiseled"]
    assert newest in await settling.world.github.read("payments-api", "Dockerfile", second["head"]["ref"])


async def test_an_opt_out_is_heeded_while_a_change_settles(settling: Stage) -> None:
    await settling.world.github.push("payments-api", {".github/freshness.yaml": "enabled: false\n"})

    settling.clock.ahead += timedelta(hours=6, minutes=1)
    await settling.run_pass()

    assert await settling.world.github.pull_requests("payments-api") == []
    rebuild = (await settling.rebuilds())["payments-api"]
    assert rebuild.state is RebuildState.SKIPPED
    assert "opted out" in rebuild.reason
