"""What the fleet builds, as the registry shows it."""

from datetime import timedelta

import pytest

from bot.domain.evidence import ImageVerdict, Strength
from bot.domain.images.claims import Source
from bot.domain.images.image import ProducedImage
from bot.domain.rollouts.rebuild import RebuildState
from bot.fleet.verify.images.rows.images import ImagesStore
from tests.e2e.staging import Stage


async def image(stage: Stage, repository: str = "contoso/catalog-web") -> ProducedImage:
    [found] = await stage.bot.stores[ImagesStore].images_of(repository)
    return found


async def test_an_image_is_known_by_the_workflow_that_pushes_it_and_told_by_its_layers(stage: Stage) -> None:
    found = await image(stage)
    assert (found.claim.name, found.claim.source) == (f"{stage.fleet.registry}/contoso/catalog-web", Source.BUILD)
    assert found.claim.path == ".github/workflows/weekly-rebuild.yml"
    assert (found.strength, found.behind_since) == (Strength.PROVED, None)
    told = {standing.told(stage.clock.now()).partition(" of ")[0] for standing in found.standings}
    assert told == {"aspnet:10.0-noble-chiseled"}


async def test_images_that_did_not_move_cost_one_head_each(stage: Stage) -> None:
    # The first pass reads the layers that they have on top of their bases; SBOMs are looked for on the next two.
    for _ in range(4):
        await stage.run_pass()
        stage.clock.ahead += timedelta(hours=25)
    await stage.run_pass()
    asked = stage.world.traffic.requests(service="registry", path="/contoso/")
    assert sorted((request.method, request.path) for request in asked) == [
        ("HEAD", f"/v2/contoso/{name}/manifests/latest") for name in ("catalog-web", "payments-api")
    ]


async def test_an_image_falls_behind_when_its_base_moves_without_being_asked_for(moved: Stage) -> None:
    found = await image(moved)
    assert found.behind_since is not None
    assert found.strength is Strength.PROVED


async def finished(stage: Stage, conclusion: str = "success") -> None:
    for run in stage.world.github.runs("catalog-web"):
        stage.world.github.finish_run(run.id, conclusion)


async def test_a_rebuild_has_succeeded_once_its_image_is_seen_on_the_new_base(moved: Stage) -> None:
    await finished(moved)
    await moved.run_pass()
    rebuild = (await moved.rebuilds())["catalog-web"]
    assert (rebuild.state, rebuild.proof) == (RebuildState.SUCCEEDED, ImageVerdict.PROVED)
    assert "contoso/catalog-web:latest stands on aspnet:10.0-noble-chiseled of" in rebuild.reason
    assert (await image(moved)).behind_since is None


async def test_a_green_build_on_the_old_base_has_failed_with_the_likely_line(stage: Stage) -> None:
    text = await stage.world.github.read("catalog-web", ".github/workflows/weekly-rebuild.yml")
    cached = text.replace("--pull --no-cache ", "")
    await stage.world.github.push("catalog-web", {".github/workflows/weekly-rebuild.yml": cached})
    stage.fleet.cached.add("catalog-web")
    await stage.fleet.publish_runtime("10.0.1")
    await stage.run_pass()
    await finished(stage)
    await stage.run_pass()
    rebuild = (await stage.rebuilds())["catalog-web"]
    assert (rebuild.state, rebuild.proof) == (RebuildState.FAILED, ImageVerdict.NO_OP)
    assert "still stands on aspnet:10.0-noble-chiseled" in rebuild.reason
    assert ".github/workflows/weekly-rebuild.yml:15 builds without --pull" in rebuild.reason


async def test_a_build_that_pushes_nothing_has_failed_after_two_hours(moved: Stage) -> None:
    moved.world.github.actions.on_finished = None
    await finished(moved)
    await moved.run_pass()
    assert (await moved.states())["catalog-web"] is RebuildState.PROVING
    moved.clock.ahead += timedelta(hours=2, minutes=5)
    await moved.run_pass()
    rebuild = (await moved.rebuilds())["catalog-web"]
    assert (rebuild.state, rebuild.proof) == (RebuildState.FAILED, ImageVerdict.NOT_SEEN)


async def test_where_no_image_is_known_a_rebuild_ends_as_built_and_not_proven(stage: Stage) -> None:
    await stage.fleet.publish_sdk("10.0.1")
    await stage.run_pass()
    for run in stage.world.github.runs("tools-cli"):
        stage.world.github.finish_run(run.id)
    await stage.run_pass()
    rebuild = (await stage.rebuilds())["tools-cli"]
    assert (rebuild.state, rebuild.proof) == (RebuildState.BUILT, ImageVerdict.UNKNOWN)
    assert rebuild.reason.startswith("built, not proven: no image of this repository is known")


BAKED = """\
on: workflow_dispatch
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v5
      - run: docker build --pull -t REGISTRY/contoso/catalog-web:$(date +%Y%m%d) --push .
"""


async def test_of_images_tagged_by_date_the_newest_is_looked_at(stage: Stage) -> None:
    text = BAKED.replace("REGISTRY", stage.fleet.registry)
    await stage.world.github.push("catalog-web", {".github/workflows/weekly-rebuild.yml": text})
    stage.fleet.tags["catalog-web"] = lambda run: f"{run.created_at:%Y%m%d}"
    await stage.fleet.publish_runtime("10.0.1")
    await stage.run_pass()
    await finished(stage)
    await stage.run_pass()
    found = await image(stage)
    assert (found.claim.tag.text, found.found_tag) == ("*", f"{stage.clock.now():%Y%m%d}")
    assert (await stage.rebuilds())["catalog-web"].proof is ImageVerdict.PROVED


@pytest.mark.parametrize(
    ("tag", "name"), [("${{ github.sha }}", "{sha}"), ("r${{ github.run_number }}", "r{run_number}")]
)
async def test_an_image_tagged_by_what_a_dispatched_run_tells_is_found_without_a_list_of_tags(
    tag: str, name: str, stage: Stage
) -> None:
    github, path = stage.world.github, ".github/workflows/weekly-rebuild.yml"
    text = BAKED.replace("REGISTRY", stage.fleet.registry).replace("$(date +%Y%m%d)", tag)
    await github.push("catalog-web", {path: text})
    stage.fleet.tags["catalog-web"] = lambda run: run.sha if name == "{sha}" else f"r{run.number}"
    await stage.fleet.publish_runtime("10.0.1")
    await stage.run_pass()
    await finished(stage)
    stage.world.traffic.forget()
    await stage.run_pass()
    rebuild = (await stage.rebuilds())["catalog-web"]
    assert (rebuild.proof, (await image(stage)).claim.tag.text) == (ImageVerdict.PROVED, name)
    [run] = github.runs("catalog-web")
    assert (rebuild.built_commit, rebuild.run_number) == (run.sha, run.number)
    assert not stage.world.traffic.requests(service="registry", path="/catalog-web/tags/list")


async def test_an_image_tagged_by_commit_is_that_of_the_merge(stage: Stage) -> None:
    github, path = stage.world.github, ".github/workflows/build.yml"
    text = (await github.read("payments-api", path)).replace(":latest", ":${{ github.sha }}")
    await github.push("payments-api", {path: text})
    stage.fleet.tags["payments-api"] = lambda run: run.sha
    await stage.fleet.publish_runtime("10.0.1")
    await stage.run_pass()
    [request] = await github.pull_requests("payments-api")
    merged = await github.merge("payments-api", request["number"])
    for run in github.runs("payments-api"):
        github.finish_run(run.id)
    await stage.run_pass()
    found = await image(stage, "contoso/payments-api")
    assert (found.claim.tag.text, found.found_tag) == ("{sha}", merged)
    assert (await stage.rebuilds())["payments-api"].proof is ImageVerdict.PROVED
