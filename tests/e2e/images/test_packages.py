"""What is inside images, read from the registry's layers, and what a new base changes."""

from collections import Counter

from bot.domain.packages.changes import moves_in_words
from bot.store.views.bases import BaseViewsStore
from sandbox.fleets.fleet import RUNTIME_TAG
from tests.e2e.staging import Stage

MOVED = "only Microsoft.NETCore.App 10.0.0 → 10.0.1, libssl3t64 3.0.13-0ubuntu3.1 → 3.0.13-0ubuntu3.2"


def fetched(stage: Stage) -> Counter[str]:
    """How often each blob was fetched since the last pass began."""
    asked = stage.world.traffic.requests(service="registry", method="GET", path="/blobs/")
    return Counter(request.path.rpartition("/")[2] for request in asked)


async def test_a_new_base_is_told_with_its_packages_in_history_and_pull_request(stage: Stage) -> None:
    await stage.fleet.publish_runtime("10.0.1", os=b"noble 2")
    outcomes = await stage.run_pass()
    assert outcomes["packages"].figures["compared"] == 2
    assert set(fetched(stage).values()) == {1}, "each blob is fetched once"
    [(_, packages)] = await stage.bot.stores[BaseViewsStore].changes_of(f"aspnet:{RUNTIME_TAG}")
    assert moves_in_words(packages) == MOVED
    [request] = await stage.world.github.pull_requests("payments-api")
    assert f"on linux/amd64, linux/arm64: {MOVED}</summary>" in request["body"]


async def test_what_is_known_of_layers_is_not_fetched_again(stage: Stage) -> None:
    await stage.run_pass()
    stage.fleet.push_image("catalog-web", "another build")
    await stage.run_pass()
    await stage.run_pass()
    assert len(fetched(stage)) == 2, "the application's own layer, on two platforms"
