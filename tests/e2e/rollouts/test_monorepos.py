"""A repository with several workflows: a rebuild touches those that its files belong to, each told alone."""

from bot.domain.rollouts.rebuild import Rebuild, RebuildState
from bot.store.views.repositories import RepositoryViewsStore
from sandbox.fleets.fleet import ASPNET, BUILD_ON_PUSH, RUNTIME_TAG, WEEKLY_REBUILD
from tests.e2e.staging import Stage

CONFIG = """\
workflows:
  - {paths: [shop/*], workflow: shop.yml}
  - {paths: [cart/*], workflow: cart.yml}
"""


async def monorepo(stage: Stage, reference: str, workflow: str, *untouched: str) -> None:
    files = {
        **{f"{part}/Dockerfile": f"FROM {reference}\n" for part in ("shop", "cart")},
        **{f".github/workflows/{part}.yml": workflow for part in ("shop", "cart")},
        **{f"{part}/Dockerfile": "FROM nginx:1.29\n" for part in untouched},
        ".github/freshness.yaml": CONFIG,
    }
    await stage.world.github.create_repository("mono", files)
    await stage.run_pass()


async def rebuilds(stage: Stage) -> list[Rebuild]:
    """Those of the monorepo, in the order of their workflows."""
    explained = await stage.bot.stores[RepositoryViewsStore].explain("contoso/mono")
    return sorted(explained.rebuilds, key=lambda rebuild: rebuild.workflow or "")


def finish(stage: Stage, file: str, conclusion: str) -> None:
    for run in stage.world.github.runs("mono"):
        if run.workflow.path.endswith(f"/{file}"):
            stage.world.github.finish_run(run.id, conclusion)


async def test_each_part_is_dispatched_and_followed_by_itself(stage: Stage) -> None:
    await monorepo(stage, f"{stage.fleet.registry}/{ASPNET}:{RUNTIME_TAG}", WEEKLY_REBUILD)
    await stage.fleet.publish_runtime("10.0.1")
    await stage.run_pass()
    runs = sorted(run.workflow.path for run in stage.world.github.runs("mono"))
    assert runs == [".github/workflows/cart.yml", ".github/workflows/shop.yml"]
    finish(stage, "cart.yml", "failure")
    finish(stage, "shop.yml", "success")

    await stage.run_pass()

    cart, shop = await rebuilds(stage)
    assert (cart.workflow, cart.state) == ("cart.yml", RebuildState.FAILED)
    assert (shop.workflow, shop.state) == ("shop.yml", RebuildState.BUILT)
    [message] = await stage.world.slack.messages()
    assert "1 failed" in message["text"]
    assert f"Failed: <{cart.url}|contoso/mono>" in str(message["blocks"])


async def test_a_part_that_does_not_stand_on_the_base_is_left_alone(stage: Stage) -> None:
    reference = f"{stage.fleet.registry}/{ASPNET}:{RUNTIME_TAG}"
    await monorepo(stage, reference, WEEKLY_REBUILD, "cart")
    await stage.fleet.publish_runtime("10.0.1")
    await stage.run_pass()

    assert [run.workflow.path for run in stage.world.github.runs("mono")] == [".github/workflows/shop.yml"]


async def test_one_pull_request_is_built_when_each_of_its_parts_is(stage: Stage) -> None:
    pinned = stage.fleet.digests[f"{ASPNET}:{RUNTIME_TAG}"]
    await monorepo(stage, f"{stage.fleet.registry}/{ASPNET}:{RUNTIME_TAG}@{pinned}", BUILD_ON_PUSH)
    await stage.fleet.publish_runtime("10.0.1")
    await stage.run_pass()
    [request] = await stage.world.github.pull_requests("mono")
    await stage.world.github.merge("mono", request["number"])
    finish(stage, "shop.yml", "success")

    await stage.run_pass()

    [rebuild] = await rebuilds(stage)
    assert rebuild.state is RebuildState.BUILDING
    assert rebuild.reason == "merged; cart.yml is under way, shop.yml concluded with success"
    finish(stage, "cart.yml", "success")
    await stage.run_pass()
    [rebuild] = await rebuilds(stage)
    assert rebuild.state is RebuildState.BUILT
    assert stage.world.traffic.violations == []
