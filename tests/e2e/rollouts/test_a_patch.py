"""A base is patched under the same tag: what the fleet and its maintainers see."""

from datetime import timedelta

import pytest

from bot.domain.rollouts.rebuild import RebuildState
from sandbox.fleets.fleet import ASPNET, RUNTIME_TAG, SDK
from sandbox.images import dotnet_image
from tests.e2e.publishing import publish
from tests.e2e.staging import Stage

BASE = f"{ASPNET}:{RUNTIME_TAG}"


async def test_the_first_pass_is_a_baseline(stage: Stage) -> None:
    assert stage.world.traffic.writes() == []
    assert await stage.states() == {}


async def test_a_patch_leads_to_exactly_the_expected_pull_requests_and_dispatches(patched: Stage) -> None:
    github = patched.world.github
    opened = {name for name in patched.fleet.repositories("10.0.0") if await github.pull_requests(name)}
    assert opened == {"payments-api", "orders-api", "search-worker"}
    assert sorted(run.workflow.repository for run in github.runs()) == ["contoso/catalog-web", "contoso/tools-cli"]
    assert len(await patched.world.slack.messages()) == 1


async def pinned_before(stage: Stage) -> str:
    """The digest that the default branch still names."""
    text = await stage.world.github.read("payments-api", "Dockerfile")
    return text.partition("@")[2].split()[0]


async def test_each_pull_request_changes_what_its_pin_needs_and_nothing_else(patched: Stage) -> None:
    old, new = await pinned_before(patched), patched.fleet.digests[BASE]
    assert new != old

    github, branch = patched.world.github, "freshness/dotnet-aspnet-10.0-noble-chiseled"
    for name, path, replaced, by in (
        ("payments-api", "Dockerfile", old, new),
        ("orders-api", "Dockerfile", "10.0.0", "10.0.1"),
        ("search-worker", "src/Dockerfile", "FROM", f"# base-digest: {new}\nFROM"),
    ):
        before = await github.read(name, path)
        assert await github.read(name, path, branch) == before.replace(replaced, by) != before


async def test_the_body_tells_digests_version_cause_fixes_and_how_to_rebuild(patched: Stage) -> None:
    [request] = await patched.world.github.pull_requests("payments-api")
    for told in (
        await pinned_before(patched),
        patched.fleet.digests[BASE],
        "10.0.0 → 10.0.1",
        "dotnet-security",
        "CVE-2026-21218",
        "docker pull",
    ):
        assert told in request["body"]


async def test_a_second_pass_writes_nothing_and_asks_once_for_each_distinct_base(patched: Stage) -> None:
    await patched.run_pass()

    assert patched.world.traffic.writes() == []
    asked = [entry.path for entry in patched.world.traffic.requests(service="registry", path="/dotnet/")]
    assert sorted(asked) == [
        "/v2/dotnet/aspnet/manifests/10.0-noble-chiseled",
        "/v2/dotnet/sdk/manifests/10.0-noble",
    ]


async def test_a_second_patch_updates_the_open_pull_request(patched: Stage) -> None:
    [first] = await patched.world.github.pull_requests("payments-api")
    await publish(patched, "10.0.2")

    await patched.run_pass()

    [second] = await patched.world.github.pull_requests("payments-api")
    assert second["number"] == first["number"]
    assert "10.0.2" in second["title"]
    assert patched.fleet.digests[BASE] in second["body"]
    branch = second["head"]["ref"]
    assert patched.fleet.digests[BASE] in await patched.world.github.read("payments-api", "Dockerfile", branch)
    assert len(await patched.world.slack.messages()) == 2


async def test_a_closed_pull_request_is_a_maintainers_decision(patched: Stage) -> None:
    [request] = await patched.world.github.pull_requests("payments-api")
    await patched.world.github.close("payments-api", request["number"])

    await patched.run_pass()
    await patched.run_pass()

    assert (await patched.states())["payments-api"] is RebuildState.CANCELLED
    assert await patched.world.github.pull_requests("payments-api") == []


async def test_a_pull_request_in_conflict_with_the_default_branch_is_brought_onto_it(patched: Stage) -> None:
    github = patched.world.github
    text = await github.read("payments-api", "Dockerfile")
    await github.push("payments-api", {"Dockerfile": text.replace("\nCOPY", " AS app\nCOPY")})

    await patched.run_pass()
    await patched.run_pass()

    [request] = await github.pull_requests("payments-api")
    assert f"@{patched.fleet.digests[BASE]} AS app\n" in await github.read(
        "payments-api", "Dockerfile", request["head"]["ref"]
    )
    await github.merge("payments-api", request["number"])
    await patched.run_pass()
    assert (await patched.states())["payments-api"] is RebuildState.BUILDING


async def test_a_pull_request_that_somebody_forestalled_is_closed(patched: Stage) -> None:
    by_hand = "# by hand\n" + patched.fleet.repositories("10.0.1")["payments-api"]["Dockerfile"]
    assert patched.fleet.digests[BASE] in by_hand
    await patched.world.github.push("payments-api", {"Dockerfile": by_hand})

    await patched.run_pass()
    await patched.run_pass()

    assert await patched.world.github.pull_requests("payments-api") == []
    assert (await patched.states())["payments-api"] is RebuildState.SUCCEEDED


async def test_runs_are_followed_until_they_conclude(patched: Stage) -> None:
    for run in patched.world.github.runs():
        conclusion = "success" if run.workflow.repository == "contoso/catalog-web" else "failure"
        patched.world.github.finish_run(run.id, conclusion)

    await patched.run_pass()

    states = await patched.states()
    assert states["catalog-web"] is RebuildState.SUCCEEDED
    assert states["tools-cli"] is RebuildState.FAILED


async def test_the_message_is_updated_in_place_as_the_rollout_goes_on(patched: Stage) -> None:
    [before] = await patched.world.slack.messages()
    for run in patched.world.github.runs():
        patched.world.github.finish_run(run.id)

    await patched.run_pass()

    [after] = await patched.world.slack.messages()
    assert after["ts"] == before["ts"]
    assert "1 needs you (built but not proven), 3 under way, 1 done" in after["text"]


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


async def test_cves_that_the_feed_lists_later_enrich_the_open_pull_request(moved: Stage) -> None:
    [before] = await moved.world.github.pull_requests("payments-api")
    assert "dotnet-unknown" in before["body"]
    moved.fleet.announce("10.0.1", security=True, cves=("CVE-2026-21218",))

    await moved.run_pass()

    [after] = await moved.world.github.pull_requests("payments-api")
    assert after["number"] == before["number"]
    assert "CVE-2026-21218" in after["body"]
    [message] = await moved.world.slack.messages()
    assert "1 CVE" in message["text"]


@pytest.mark.long
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
    assert rebuilds["orders-api"].state is RebuildState.WAITING
    assert "10.0.1-noble-chiseled is not published yet" in rebuilds["orders-api"].reason
    assert rebuilds["payments-api"].state is RebuildState.OPEN
    await stage.world.registry.push(ASPNET, "10.0.1-noble-chiseled", moved)
    stage.clock.ahead += timedelta(minutes=10)
    await stage.run_pass()
    assert (await stage.states())["orders-api"] is RebuildState.OPEN


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


async def test_an_open_pull_request_stays_open_where_its_text_cannot_be_updated(moved: Stage) -> None:
    moved.fleet.announce("10.0.1", security=True, cves=("CVE-2026-21218",))
    fix = await pull_request_node(moved, "payments-api")
    moved.world.faults.add("POST", f"updatePullRequest.*{fix}", status=502, times=1)

    outcomes = await moved.run_pass()

    assert [problem for problem in outcomes["act"].problems if "contoso/payments-api" in problem]
    assert (await moved.states())["payments-api"] is RebuildState.OPEN
    moved.clock.ahead += timedelta(hours=1)
    await moved.run_pass()
    [request] = await moved.world.github.pull_requests("payments-api")
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
    assert "rated up to CRITICAL" not in request["body"]


async def test_a_base_that_goes_back_closes_the_pull_request_that_has_no_use_any_more(moved: Stage) -> None:
    assert len(await moved.world.github.pull_requests("payments-api")) == 1
    await moved.fleet.publish_runtime("10.0.0")

    for _ in ("seen", "still doubted", "shown for a day", "confirmed"):
        moved.clock.ahead += timedelta(hours=13)
        await moved.run_pass()

    assert await moved.world.github.pull_requests("payments-api") == []
    assert (await moved.states())["payments-api"] is RebuildState.SUCCEEDED


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
    assert "6 repositories on 2 bases" in str(message["blocks"])
    await stage.run_pass()
    assert stage.world.traffic.writes() == []


async def test_a_first_run_leaves_outdated_pins_as_they_are(stage: Stage) -> None:
    text = f"FROM {stage.fleet.registry}/{ASPNET}:{RUNTIME_TAG}@sha256:{'0' * 64}\n"
    await stage.world.github.create_repository("ancient", {"Dockerfile": text})

    await stage.run_pass()

    assert stage.world.traffic.writes() == []


async def test_an_outdated_pin_that_comes_after_the_pull_request_was_merged_gets_one_of_its_own(
    patched: Stage,
) -> None:
    outdated = await patched.world.github.read("payments-api", "Dockerfile")
    await merge_and_build(patched)
    await patched.world.github.push("payments-api", {"worker/Dockerfile": outdated})

    await patched.run_pass()

    [request] = await patched.world.github.pull_requests("payments-api")
    branch = request["head"]["ref"]
    assert patched.fleet.digests[BASE] in await patched.world.github.read(
        "payments-api", "worker/Dockerfile", branch
    )
    await merge_and_build(patched)
    await patched.world.github.push("payments-api", {"README.md": "news\n"})
    await patched.run_pass()
    assert await patched.world.github.pull_requests("payments-api") == [], "nothing is behind any more"


async def test_an_outdated_pin_whose_pull_request_was_closed_gets_no_other(patched: Stage) -> None:
    outdated = await patched.world.github.read("payments-api", "Dockerfile")
    await merge_and_build(patched)
    await patched.world.github.push("payments-api", {"worker/Dockerfile": outdated})
    await patched.run_pass()
    [request] = await patched.world.github.pull_requests("payments-api")
    await patched.world.github.close("payments-api", request["number"])
    await patched.run_pass()

    await patched.world.github.push("payments-api", {"README.md": "news\n"})
    await patched.run_pass()

    assert await patched.world.github.pull_requests("payments-api") == []


async def merge_and_build(stage: Stage) -> None:
    """What is open in payments-api is merged and built, and followed to its end."""
    github = stage.world.github
    [request] = await github.pull_requests("payments-api")
    await github.merge("payments-api", request["number"])
    while not (await stage.states())["payments-api"].has_ended:
        await stage.run_pass()
        for run in github.runs():
            if run.conclusion is None:
                github.finish_run(run.id, "success")
        stage.clock.ahead += timedelta(hours=3)
