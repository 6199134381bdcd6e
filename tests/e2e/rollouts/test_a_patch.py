"""A base is patched under the same tag: what the fleet and its maintainers see."""

from datetime import timedelta

from bot.domain.rollouts.rebuild import State
from sandbox.fleets.fleet import ASPNET, RUNTIME_TAG, SDK
from sandbox.images import dotnet_image
from tests.e2e.conftest import Stage
from tests.e2e.publishing import publish

BASE = f"{ASPNET}:{RUNTIME_TAG}"


async def test_the_first_pass_is_a_baseline(stage: Stage) -> None:
    assert stage.world.traffic.writes() == []
    assert await stage.states() == {}


async def test_a_patch_leads_to_exactly_the_expected_pull_requests_and_dispatches(stage: Stage) -> None:
    await publish(stage)

    await stage.run_pass()

    github = stage.world.github
    opened = {name for name in stage.fleet.repositories("10.0.0") if await github.pull_requests(name)}
    assert opened == {"payments-api", "orders-api", "search-worker"}
    assert sorted(run.workflow.repository for run in github.runs()) == ["contoso/catalog-web", "contoso/tools-cli"]
    assert len(await stage.world.slack.messages()) == 1


async def test_each_pull_request_changes_what_its_pin_needs_and_nothing_else(stage: Stage) -> None:
    before = stage.fleet.repositories("10.0.0")
    old = stage.fleet.digests[BASE]
    await publish(stage)
    new = stage.fleet.digests[BASE]

    await stage.run_pass()

    github, branch = stage.world.github, "freshness/dotnet-aspnet-10.0-noble-chiseled"
    pinned = await github.read("payments-api", "Dockerfile", branch)
    assert pinned == before["payments-api"]["Dockerfile"].replace(old, new)
    patched = await github.read("orders-api", "Dockerfile", branch)
    assert patched == before["orders-api"]["Dockerfile"].replace("10.0.0", "10.0.1")
    marked = await github.read("search-worker", "src/Dockerfile", branch)
    assert marked == before["search-worker"]["src/Dockerfile"].replace("FROM", f"# base-digest: {new}\nFROM")


async def test_the_body_tells_digests_version_cause_fixes_and_how_to_rebuild(stage: Stage) -> None:
    old = stage.fleet.digests[BASE]
    await publish(stage)

    await stage.run_pass()

    [request] = await stage.world.github.pull_requests("payments-api")
    for told in (
        old,
        stage.fleet.digests[BASE],
        "10.0.0 → 10.0.1",
        "dotnet-security",
        "CVE-2026-21218",
        "docker pull",
    ):
        assert told in request["body"]


async def test_a_second_pass_writes_nothing_and_asks_once_for_each_distinct_base(stage: Stage) -> None:
    await publish(stage)
    await stage.run_pass()

    await stage.run_pass()

    assert stage.world.traffic.writes() == []
    asked = [entry.path for entry in stage.world.traffic.requests(service="registry", path="/dotnet/")]
    assert sorted(asked) == [
        "/v2/dotnet/aspnet/manifests/10.0-noble-chiseled",
        "/v2/dotnet/sdk/manifests/10.0-noble",
    ]


async def test_a_second_patch_updates_the_open_pull_request(stage: Stage) -> None:
    await publish(stage, "10.0.1")
    await stage.run_pass()
    [first] = await stage.world.github.pull_requests("payments-api")
    await publish(stage, "10.0.2")

    await stage.run_pass()

    [second] = await stage.world.github.pull_requests("payments-api")
    assert second["number"] == first["number"]
    assert "10.0.2" in second["title"]
    assert stage.fleet.digests[BASE] in second["body"]
    branch = second["head"]["ref"]
    assert stage.fleet.digests[BASE] in await stage.world.github.read("payments-api", "Dockerfile", branch)
    assert len(await stage.world.slack.messages()) == 2


async def test_a_closed_pull_request_is_a_maintainers_decision(stage: Stage) -> None:
    await publish(stage)
    await stage.run_pass()
    [request] = await stage.world.github.pull_requests("payments-api")
    await stage.world.github.close("payments-api", request["number"])

    await stage.run_pass()
    await stage.run_pass()

    assert (await stage.states())["payments-api"] is State.CANCELLED
    assert await stage.world.github.pull_requests("payments-api") == []


async def test_a_pull_request_in_conflict_with_the_default_branch_is_brought_onto_it(stage: Stage) -> None:
    text = stage.fleet.repositories("10.0.0")["payments-api"]["Dockerfile"]
    await publish(stage)
    await stage.run_pass()
    github = stage.world.github
    await github.push("payments-api", {"Dockerfile": text.replace("\nCOPY", " AS app\nCOPY")})

    await stage.run_pass()
    await stage.run_pass()

    [request] = await github.pull_requests("payments-api")
    assert f"@{stage.fleet.digests[BASE]} AS app\n" in await github.read(
        "payments-api", "Dockerfile", request["head"]["ref"]
    )
    await github.merge("payments-api", request["number"])
    await stage.run_pass()
    assert (await stage.states())["payments-api"] is State.BUILDING


async def test_a_pull_request_that_somebody_forestalled_is_closed(stage: Stage) -> None:
    await publish(stage)
    await stage.run_pass()
    by_hand = "# by hand\n" + stage.fleet.repositories("10.0.1")["payments-api"]["Dockerfile"]
    assert stage.fleet.digests[BASE] in by_hand
    await stage.world.github.push("payments-api", {"Dockerfile": by_hand})

    await stage.run_pass()
    await stage.run_pass()

    assert await stage.world.github.pull_requests("payments-api") == []
    assert (await stage.states())["payments-api"] is State.SUCCEEDED


async def test_runs_are_followed_until_they_conclude(stage: Stage) -> None:
    await publish(stage)
    await stage.run_pass()
    for run in stage.world.github.runs():
        conclusion = "success" if run.workflow.repository == "contoso/catalog-web" else "failure"
        stage.world.github.finish_run(run.id, conclusion)

    await stage.run_pass()

    states = await stage.states()
    assert states["catalog-web"] is State.SUCCEEDED
    assert states["tools-cli"] is State.FAILED


async def test_the_message_is_updated_in_place_as_the_rollout_goes_on(stage: Stage) -> None:
    await publish(stage)
    await stage.run_pass()
    [before] = await stage.world.slack.messages()
    for run in stage.world.github.runs():
        stage.world.github.finish_run(run.id)

    await stage.run_pass()

    [after] = await stage.world.slack.messages()
    assert after["ts"] == before["ts"]
    assert "1 succeeded, 1 built" in after["text"]


async def test_only_the_repository_of_the_patched_stage_is_rebuilt(stage: Stage) -> None:
    await stage.fleet.publish_sdk("10.0.1")

    await stage.run_pass()

    assert set(await stage.states()) == {"tools-cli"}


async def test_an_index_only_change_leads_to_nothing(stage: Stage) -> None:
    image = dotnet_image("aspnet", "10.0.0", platforms=("linux/amd64", "linux/arm64", "linux/arm"))
    await stage.world.registry.push(ASPNET, RUNTIME_TAG, image)

    await stage.run_pass()

    assert await stage.states() == {}
    assert stage.world.traffic.writes() == []


async def test_cves_that_the_feed_lists_later_enrich_the_open_pull_request(stage: Stage) -> None:
    await stage.fleet.publish_runtime("10.0.1")
    await stage.run_pass()
    [before] = await stage.world.github.pull_requests("payments-api")
    assert "dotnet-unknown" in before["body"]
    stage.fleet.announce("10.0.1", security=True, cves=("CVE-2026-21218",))

    await stage.run_pass()

    [after] = await stage.world.github.pull_requests("payments-api")
    assert after["number"] == before["number"]
    assert "CVE-2026-21218" in after["body"]
    [message] = await stage.world.slack.messages()
    assert "1 CVE" in message["text"]


async def test_a_pull_request_that_waited_tells_what_both_patches_fix(stage: Stage) -> None:
    oldest = stage.fleet.digests[BASE]
    await stage.fleet.publish_runtime("10.0.1")
    stage.fleet.announce("10.0.1", security=True, cves=("CVE-2026-21218",))
    await stage.run_pass()
    await stage.fleet.publish_runtime("10.0.2")
    stage.fleet.announce("10.0.2", security=True, cves=("CVE-2026-30001",))

    await stage.run_pass()

    [request] = await stage.world.github.pull_requests("payments-api")
    for told in (oldest, stage.fleet.digests[BASE], "10.0.0 → 10.0.2", "CVE-2026-21218", "CVE-2026-30001"):
        assert told in request["body"]


async def test_a_patch_tag_that_is_not_published_yet_is_waited_for(stage: Stage) -> None:
    moved = dotnet_image("aspnet", "10.0.1")
    await stage.world.registry.push(ASPNET, RUNTIME_TAG, moved)

    await stage.run_pass()

    rebuilds = await stage.rebuilds()
    assert rebuilds["orders-api"].state is State.WAITING
    assert "10.0.1-noble-chiseled is not published yet" in rebuilds["orders-api"].reason
    assert rebuilds["payments-api"].state is State.OPEN
    await stage.world.registry.push(ASPNET, "10.0.1-noble-chiseled", moved)
    stage.clock.ahead += timedelta(minutes=10)
    await stage.run_pass()
    assert (await stage.states())["orders-api"] is State.OPEN


async def test_global_json_moves_in_the_same_pull_request_as_the_sdk_image(stage: Stage) -> None:
    image = dotnet_image("sdk", "10.0.100")
    await stage.world.registry.push(SDK, "10.0.100-noble", image)
    dockerfile = f"FROM {stage.fleet.registry}/{SDK}:10.0.100-noble\n"
    pin = '{\n  "sdk": { "version": "10.0.100", "rollForward": "disable" }\n}\n'
    await stage.world.github.create_repository("builder", {"Dockerfile": dockerfile, "global.json": pin})
    await stage.run_pass()
    await stage.world.registry.push(SDK, "10.0.101-noble", dotnet_image("sdk", "10.0.101"))
    await stage.fleet.publish_sdk("10.0.1")

    await stage.run_pass()

    [request] = await stage.world.github.pull_requests("builder")
    branch = request["head"]["ref"]
    assert await stage.world.github.read("builder", "Dockerfile", branch) == dockerfile.replace("100-", "101-")
    assert await stage.world.github.read("builder", "global.json", branch) == pin.replace("10.0.100", "10.0.101")


async def pull_request_node(stage: Stage, repository: str) -> str:
    [request] = await stage.world.github.pull_requests(repository)
    return str(request["node_id"])


async def test_an_open_pull_request_stays_open_where_its_text_cannot_be_updated(stage: Stage) -> None:
    await stage.fleet.publish_runtime("10.0.1")
    await stage.run_pass()
    stage.fleet.announce("10.0.1", security=True, cves=("CVE-2026-21218",))
    fix = await pull_request_node(stage, "payments-api")
    stage.world.faults.add("POST", f"updatePullRequest.*{fix}", status=502, times=1)

    outcomes = await stage.run_pass()

    assert [problem for problem in outcomes["act"].problems if "contoso/payments-api" in problem]
    assert (await stage.states())["payments-api"] is State.OPEN
    stage.clock.ahead += timedelta(hours=1)
    await stage.run_pass()
    [request] = await stage.world.github.pull_requests("payments-api")
    assert "CVE-2026-21218" in request["body"]


async def test_a_fix_for_windows_alone_is_marked_as_not_relevant(stage: Stage) -> None:
    stage.world.feeds.publish_advisory(
        "CVE-2026-40000",
        severity="critical",
        package="Microsoft.NETCore.App.Runtime.win-x64",
        affected=">= 10.0.0, <= 10.0.0",
        patched="10.0.1",
    )
    stage.fleet.announce("10.0.1", security=True, cves=("CVE-2026-21218", "CVE-2026-40000"))
    await stage.fleet.publish_runtime("10.0.1")

    await stage.run_pass()

    [request] = await stage.world.github.pull_requests("payments-api")
    assert "Not relevant to these images (other parts or systems): CVE-2026-40000" in request["body"]
    assert "rated up to critical" not in request["body"]


async def test_a_base_that_goes_back_closes_the_pull_request_that_has_no_use_any_more(stage: Stage) -> None:
    await stage.fleet.publish_runtime("10.0.1")
    await stage.run_pass()
    assert len(await stage.world.github.pull_requests("payments-api")) == 1
    await stage.fleet.publish_runtime("10.0.0")

    for _ in ("seen", "confirmed"):
        await stage.run_pass()

    assert await stage.world.github.pull_requests("payments-api") == []
    assert (await stage.states())["payments-api"] is State.SUCCEEDED


async def test_a_repository_that_comes_later_with_an_outdated_pin_is_served_too(
    stage: Stage,
) -> None:
    outdated = stage.fleet.repositories("10.0.0")["payments-api"]
    await publish(stage)
    await stage.run_pass()
    await stage.world.github.create_repository("latecomer", outdated)

    await stage.run_pass()

    [request] = await stage.world.github.pull_requests("latecomer")
    branch = request["head"]["ref"]
    assert stage.fleet.digests[BASE] in await stage.world.github.read("latecomer", "Dockerfile", branch)
    [message] = await stage.world.slack.messages()
    assert "contoso/latecomer" in str(message["blocks"])
    await stage.run_pass()
    assert stage.world.traffic.writes() == []


async def test_a_first_run_leaves_outdated_pins_as_they_are(stage: Stage) -> None:
    text = f"FROM {stage.fleet.registry}/{ASPNET}:{RUNTIME_TAG}@sha256:{'0' * 64}\n"
    await stage.world.github.create_repository("ancient", {"Dockerfile": text})

    await stage.run_pass()

    assert stage.world.traffic.writes() == []
