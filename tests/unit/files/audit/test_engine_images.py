"""Bases that only the engine of a job has: built or loaded there by a step before."""

import pytest

from bot.domain.repositories.finding import Finding, Outcome
from tests.unit.files.audit.world import BUILD, findings, workflow

DOCKERFILE = "src/Dockerfile"
PUSH = """
- uses: docker/build-push-action@v7
  with: {context: src, push: true, tags: 'ghcr.io/contoso/shop:8'}
"""
CACHED = PUSH.replace("push: true", "push: true, cache-from: 'type=gha'")
LOADS = "- run: nix-build -A docker && docker load < result\n"
BUILDS = "- run: docker build -t shop base\n"


def of(check: str, steps: str, base: str = "shop:latest") -> Finding:
    (found,) = findings(check, {BUILD: workflow(steps), DOCKERFILE: f"FROM {base}\nCOPY . /app\n"})
    return found


@pytest.mark.parametrize(
    ("before", "base", "expected"),
    [
        (LOADS, "shop:latest", Outcome.UNKNOWN),
        (LOADS.replace("docker load", "docker image load"), "shop", Outcome.UNKNOWN),
        (LOADS, "node:latest", Outcome.FAILS),
        (LOADS, "quay.io/contoso/shop:latest", Outcome.FAILS),
        (LOADS, "node:24", Outcome.HOLDS),
        (BUILDS, "shop:latest", Outcome.NOT_APPLICABLE),
        (BUILDS, "store:latest", Outcome.FAILS),
        (f"{BUILDS}- run: docker push shop\n", "shop:latest", Outcome.FAILS),
        ("- run: docker pull contoso/shop:8 && docker tag contoso/shop:8 shop\n", "shop", Outcome.NOT_APPLICABLE),
        ("- run: docker images\n", "shop:latest", Outcome.FAILS),
    ],
)
def test_a_base_that_a_step_before_gives_the_engine_comes_from_nowhere_else(
    before: str, base: str, expected: Outcome
) -> None:
    assert of("base-pinned", before + PUSH, base).outcome is expected


def test_what_is_loaded_behind_the_build_is_no_base_of_it() -> None:
    assert of("base-pinned", PUSH + LOADS).outcome is Outcome.FAILS


def test_an_image_that_an_action_loads_under_the_name_of_the_base_is_meant() -> None:
    loaded = "- uses: docker/build-push-action@v7\n  with: {context: base, load: true, tags: 'shop:ci'}\n"
    assert of("base-pinned", loaded + PUSH, "shop:ci").outcome is Outcome.NOT_APPLICABLE
    assert of("base-pinned", loaded + PUSH).outcome is Outcome.FAILS


BY_COMMAND = "- run: docker build -t contoso/shop src && docker push contoso/shop\n"


@pytest.mark.parametrize(
    ("check", "push"), [("sbom", PUSH), ("provenance", PUSH), ("slsa-level", PUSH), ("sbom", BY_COMMAND)]
)
def test_no_builder_is_advised_that_would_not_see_the_base(check: str, push: str) -> None:
    beside, alone = of(check, LOADS + push), of(check, push)
    assert "buildx-action" not in f"{beside.settled_by}{beside.fix}"
    assert "buildx-action" in f"{alone.settled_by}{alone.fix}"


def test_no_pull_is_advised_of_a_base_that_no_registry_has() -> None:
    assert (found := of("fresh-layers", BUILDS + CACHED)).fix is not None
    assert (found.fix.advice, found.fix.edits) == ("set no-cache: true", ())
    command = "- run: docker build --cache-from x -t contoso/shop src && docker push contoso/shop\n"
    assert (by_command := of("fresh-layers", LOADS + command)).fix is not None
    assert by_command.fix.advice == "add --no-cache"


def test_a_base_that_a_script_or_compose_builds_under_its_name_comes_from_here() -> None:
    files = {
        DOCKERFILE: "FROM shop\nCOPY . /app\n",
        "base/Dockerfile": "FROM node:24\n",
        "build.sh": "docker build -t shop base\n",
    }
    compose = {"compose.yaml": "services: {shop: {image: shop, build: base}}\n", "build.sh": "true\n"}
    for each in (files, files | compose):
        (of_base, own) = findings("base-pinned", each)
        assert (of_base.outcome, own.outcome) == (Outcome.HOLDS, Outcome.NOT_APPLICABLE)


def test_a_base_that_compose_builds_under_a_name_of_a_registry_may_come_from_there() -> None:
    files = {
        DOCKERFILE: "FROM contoso/shop\nCOPY . /app\n",
        "base/Dockerfile": "FROM node:24\n",
        "compose.yaml": "services: {shop: {image: contoso/shop, build: base}}\n",
    }
    (_, own) = findings("base-pinned", files)
    assert own.outcome is Outcome.UNKNOWN
    assert "it is built here, from base/Dockerfile" in own.message


@pytest.mark.parametrize(
    ("loading", "base", "expected"),
    [
        ("bazel run //base:load", "shop", Outcome.UNKNOWN),
        ("nix run .#base.copyToDockerDaemon", "shop", Outcome.UNKNOWN),
        ("dotnet publish base -t:PublishContainer", "shop", Outcome.UNKNOWN),
        ("mvn compile jib:dockerBuild", "shop", Outcome.UNKNOWN),
        ("bazel run //base:load", "quay.io/contoso/shop", Outcome.FAILS),
        ("bazel build //base", "shop", Outcome.FAILS),
        ("nix build .#base", "shop", Outcome.FAILS),
    ],
)
def test_a_base_that_another_builder_may_load_comes_from_nowhere_else(
    loading: str, base: str, expected: Outcome
) -> None:
    assert of("base-pinned", f"- run: {loading}\n{PUSH}", base).outcome is expected
