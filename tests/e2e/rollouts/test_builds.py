"""A merged pull request has built nothing: its build is found whichever way it was merged, and followed."""

from datetime import timedelta

import pytest

from bot.domain.rollouts.rebuild import RebuildState
from bot.store.views.rollouts import RolloutViewsStore
from sandbox.fleets.fleet import BUILD_ON_PUSH
from sandbox.github.actions.runs import Run
from tests.e2e.publishing import move
from tests.e2e.staging import Stage

SHOP = "payments-api"


async def opened(stage: Stage) -> int:
    """The pull request for a patch."""
    [request] = await stage.world.github.pull_requests(SHOP)
    return int(request["number"])


async def merged(stage: Stage, number: int, method: str) -> None:
    path = f"/repos/contoso/{SHOP}/pulls/{number}/merge"
    await stage.world.github.ask("PUT", path, {"merge_method": method})


def builds(stage: Stage, name: str = SHOP) -> list[Run]:
    return [run for run in stage.world.github.runs(name) if run.event == "push"]


@pytest.mark.parametrize(
    "method", ["merge", *(pytest.param(other, marks=pytest.mark.long) for other in ("squash", "rebase"))]
)
async def test_the_build_of_a_merge_is_followed_to_its_end(moved: Stage, method: str) -> None:
    await merged(moved, await opened(moved), method)
    await moved.run_pass()
    assert (await moved.states())[SHOP] is RebuildState.BUILDING
    [build] = builds(moved)
    moved.world.github.finish_run(build.id)

    await moved.run_pass()

    rebuild = (await moved.rebuilds())[SHOP]
    assert rebuild.state is RebuildState.SUCCEEDED
    assert rebuild.merge is not None
    assert rebuild.merge.commit == build.sha == await moved.world.github.head(SHOP)
    assert rebuild.url == f"{moved.world.github.edge.site}/contoso/{SHOP}/actions/runs/{build.id}"
    assert moved.world.traffic.violations == []


async def test_a_red_build_is_a_failed_rebuild(moved: Stage) -> None:
    await merged(moved, await opened(moved), "squash")
    [build] = builds(moved)
    moved.world.github.fail_run(build.id, "image", "Build", "exit code 1")

    await moved.run_pass()

    rebuild = (await moved.rebuilds())[SHOP]
    assert (rebuild.state, rebuild.reason) == (
        RebuildState.FAILED,
        "merged, but its build failed: build.yml concluded with failure; job image, step Build: exit code 1",
    )
    [message] = await moved.world.slack.messages()
    assert f"actions/runs/{build.id}" in str(message["blocks"])


async def test_a_merge_queue_that_lands_several_with_one_push_has_one_build(stage: Stage) -> None:
    github = stage.world.github
    github.protect(SHOP, queue="SQUASH")
    await move(stage)
    number = await opened(stage)
    await github.branch(SHOP, "other")
    await github.push(SHOP, {"NEWS.md": "more"}, branch="other")
    body = {"title": "Other", "head": "other", "base": "main"}
    other = await github.ask("POST", f"/repos/contoso/{SHOP}/pulls", body)
    for node in [(await github.pull_requests(SHOP))[-1]["node_id"], other["node_id"]]:
        query = f'mutation {{ enqueuePullRequest(input: {{pullRequestId: "{node}"}}) {{ clientMutationId }} }}'
        answer = await github.ask("POST", "/graphql", {"query": query})
        assert "errors" not in answer
    await github.land_queue(SHOP)
    [build] = builds(stage)
    await stage.run_pass()
    [rebuild] = [(await stage.rebuilds())[SHOP]]
    assert (rebuild.state, rebuild.pull_request) == (RebuildState.BUILDING, number)
    assert rebuild.merge is not None
    assert rebuild.merge.commit != build.sha
    github.finish_run(build.id)

    await stage.run_pass()

    assert (await stage.states())[SHOP] is RebuildState.SUCCEEDED
    assert stage.world.traffic.violations == []


async def test_a_merge_that_builds_nothing_ends_as_merged_and_not_seen_and_lets_the_rollout_end(
    stage: Stage,
) -> None:
    await stage.world.github.push(SHOP, {".github/workflows/build.yml": None})
    await move(stage)
    await merged(stage, await opened(stage), "squash")
    await stage.run_pass()
    assert (await stage.states())[SHOP] is RebuildState.BUILDING

    stage.clock.ahead += timedelta(hours=1, minutes=5)
    await stage.run_pass()

    rebuild = (await stage.rebuilds())[SHOP]
    assert rebuild.state is RebuildState.MERGED
    assert rebuild.reason.startswith("merged, build not seen: no run on")
    [message] = await stage.world.slack.messages()
    assert "merged, build not seen" in str(message["blocks"])


async def test_a_new_patch_while_the_last_one_builds_gets_a_pull_request_of_its_own(moved: Stage) -> None:
    first = await opened(moved)
    await merged(moved, first, "squash")
    await moved.run_pass()
    moved.clock.ahead += timedelta(hours=3)
    await moved.fleet.publish_runtime("10.0.2")
    await moved.run_pass()

    [second] = await moved.world.github.pull_requests(SHOP)
    assert second["number"] != first
    [build] = builds(moved)
    moved.world.github.finish_run(build.id)
    await moved.run_pass()
    older, newer = [
        rebuild
        for rollout in reversed(await moved.bot.stores[RolloutViewsStore].rollouts(5))
        for rebuild in rollout.rebuilds
        if rebuild.repository == f"contoso/{SHOP}"
    ]
    assert (older.state, newer.state) == (RebuildState.SUCCEEDED, RebuildState.OPEN)
    assert (older.pull_request, newer.pull_request) == (first, second["number"])


@pytest.mark.long
async def test_builds_of_many_repositories_are_looked_for_in_one_request(stage: Stage) -> None:
    names = [f"shop-{number}" for number in range(4)]
    text = stage.fleet.repositories("10.0.0")[SHOP]
    for name in names:
        await stage.world.github.create_repository(name, {**text, ".github/workflows/build.yml": BUILD_ON_PUSH})
    await stage.run_pass()
    await stage.fleet.publish_runtime("10.0.1")
    await stage.run_pass()
    for name in (*names, SHOP):
        [request] = await stage.world.github.pull_requests(name)
        await stage.world.github.merge(name, request["number"])
    await stage.run_pass()
    assert [(await stage.states())[name] for name in names] == [RebuildState.BUILDING] * 4

    await stage.run_pass()

    asked = [entry for entry in stage.world.traffic.requests(service="github") if "checkSuites" in str(entry)]
    assert len(asked) == 1
