"""The life of a pull request: what it begins with, what people and other bots say of it, and how it ends."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest_asyncio

from bot.domain.rollouts.rebuild import State
from sandbox.fleet import ASPNET, RUNTIME_TAG, WEEKLY_REBUILD, SampleFleet
from sandbox.world import World
from tests.e2e.conftest import Stage, settled

BASE = f"{ASPNET}:{RUNTIME_TAG}"
BRANCH = "freshness/dotnet-aspnet-10.0-noble-chiseled"
SHOP = "shop"
WITH_WORKFLOW = {".github/workflows/weekly-rebuild.yml": WEEKLY_REBUILD}


class OneRepository(SampleFleet):
    """A shop that pins its base by digest, with further files."""

    def __init__(self, world: World, more: Mapping[str, str] | None = None) -> None:
        super().__init__(world)
        self.more = dict(more or {})

    def repositories(self, version: str) -> Mapping[str, Mapping[str, str]]:
        pinned = f"FROM {self.registry}/{BASE}@{self.digests[BASE]}\nCOPY . /app\n"
        return {SHOP: {"Dockerfile": pinned, **self.more}}


class Stages:
    """Stages one for each test, under its own policy."""

    def __init__(self, world: World, folder: Path, exits: AsyncExitStack) -> None:
        self._world = world
        self._folder = folder
        self._exits = exits

    async def __call__(
        self, *rules: dict[str, object], more: Mapping[str, str] | None = None, as_app: bool = False
    ) -> Stage:
        github: dict[str, object] = {}
        if as_app:
            key = self._folder / "app.pem"
            key.write_text(self._world.github.private_key)
            numbers = {"id": self._world.github.app_id, "installation": self._world.github.installation_id}
            github = {"token_file": None, "app": {**numbers, "private_key_file": str(key)}}
        return await settled(
            self._world,
            self._folder,
            f"sqlite:///{self._folder}/freshness.db",
            self._exits,
            policy=[*rules, {"settle": "0s"}],
            fleet=OneRepository(self._world, more),
            github=github,
        )


@pytest_asyncio.fixture
async def stages(world: World, tmp_path: Path) -> AsyncIterator[Stages]:
    async with AsyncExitStack() as exits:
        yield Stages(world, tmp_path, exits)
    assert world.traffic.violations == []


async def the_request(stage: Stage, state: str = "open") -> dict[str, Any]:
    [request] = await stage.world.github.pull_requests(SHOP, state)
    return request


def requests_for_it(stage: Stage) -> int:
    """How often GitHub was asked for the sake of the pull request in the last pass: discovery reads by GET."""
    asked = stage.world.traffic.requests("github", method="POST")
    return sum(not entry.graphql.startswith(("query blobs", "query follow")) for entry in asked)


# What it begins with


async def test_it_begins_with_all_that_the_rule_asks_for_in_three_requests(stages: Stages) -> None:
    rule = {
        "draft": True,
        "labels": ["dependencies"],
        "assignees": ["operator"],
        "branch_prefix": "deps/",
        "commit_message": "build: stand on {bases}",
    }
    stage = await stages(rule, more={".github/CODEOWNERS": "* @octocat\n/Dockerfile @contoso/platform @operator\n"})
    github = stage.world.github
    await github.create_team("platform")
    for label in ("dependencies", "freshness"):
        await github.ask("POST", f"/repos/contoso/{SHOP}/labels", {"name": label, "color": "ededed"})
    await stage.fleet.publish_runtime("10.0.1")

    await stage.run_pass()

    request = await the_request(stage)
    assert request["draft"]
    assert sorted(label["name"] for label in request["labels"]) == ["dependencies", "freshness"]
    assert [who["login"] for who in request["assignees"]] == ["operator"]
    assert [who["login"] for who in request["requested_reviewers"]] == ["operator"]
    assert [team["slug"] for team in request["requested_teams"]] == ["platform"]
    assert request["head"]["ref"] == "deps/dotnet-aspnet-10.0-noble-chiseled"
    commit = await github.ask("GET", f"/repos/contoso/{SHOP}/git/commits/{request['head']['sha']}")
    assert commit["message"].startswith(f"build: stand on aspnet:{RUNTIME_TAG}\n")
    assert requests_for_it(stage) == 3


async def test_what_an_app_commits_is_verified(stages: Stages) -> None:
    stage = await stages(as_app=True)
    await stage.fleet.publish_runtime("10.0.1")
    await stage.run_pass()
    first = await the_request(stage)
    await stage.fleet.publish_runtime("10.0.2")
    await stage.run_pass()
    second = await the_request(stage)

    for request in (first, second):
        path = f"/repos/contoso/{SHOP}/commits/{request['head']['sha']}"
        commit = await stage.world.github.ask("GET", path)
        assert (commit["commit"]["verification"]["verified"], commit["commit"]["verification"]["reason"]) == (
            True,
            "valid",
        )
    assert first["head"]["sha"] != second["head"]["sha"]
    assert (await stage.states())[SHOP] is State.OPEN


async def test_what_it_writes_is_pinned_in_the_style_of_the_rule(stages: Stages) -> None:
    floats = {"match": {"repositories": [f"contoso/{SHOP}"]}, "pin": "floating"}
    stage = await stages(floats, {"pin": "digest"})
    plain = f"FROM {stage.fleet.registry}/{BASE}\nCOPY . /app\n"
    await stage.world.github.create_repository("till", {"Dockerfile": plain, **WITH_WORKFLOW})
    await stage.run_pass()
    await stage.fleet.publish_runtime("10.0.1")

    await stage.run_pass()

    github = stage.world.github
    assert await github.read(SHOP, "Dockerfile", BRANCH) == plain
    pinned = plain.replace(BASE, f"{BASE}@{stage.fleet.digests[BASE]}")
    assert await github.read("till", "Dockerfile", BRANCH) == pinned
    assert github.runs("till") == []
    assert "becomes the floating tag, as the operator's rules ask" in (await the_request(stage))["body"]
    await github.merge(SHOP, (await the_request(stage))["number"])
    await stage.run_pass()
    assert (await stage.states())[SHOP] is State.SUCCEEDED
