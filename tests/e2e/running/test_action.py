"""The bot as a step of a workflow: its state on a branch, its face the job summary."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml

from sandbox.fleets.fleet import ASPNET, RUNTIME_TAG, SampleFleet
from sandbox.world import World
from tests.e2e.running.runner import Runner

BRANCH = "freshness-bot-state"


@pytest.fixture
async def fleet(world: World) -> AsyncIterator[SampleFleet]:
    fleet = SampleFleet(world)
    await fleet.build()
    await world.github.create_repository("freshness", {"README.md": "# Freshness\n"}, private=True)
    yield fleet


@pytest.fixture
def runner(fleet: SampleFleet, tmp_path: Path) -> Runner:
    github = fleet.world.github
    return Runner(tmp_path, github.url, f"{github.name}/freshness", github.token)


@pytest.fixture
def inputs(fleet: SampleFleet) -> dict[str, str]:
    """Of an App, and where registry and feeds are played; nothing settles."""
    world = fleet.world
    config = {
        "github": {"seconds_between_writes": 0},
        "registries": {world.registry.host: {"insecure": True}},
        "bases": [f"{world.registry.host}/dotnet/*"],
        "feeds": {name: {"url": url} for name, url in world.feeds.addresses.items()},
        "policy": [{"settle": "0s"}],
    }
    return {
        "app_id": str(world.github.app_id),
        "app_private_key": world.github.private_key,
        "config": yaml.safe_dump(config),
    }


async def patch(fleet: SampleFleet) -> None:
    fleet.announce("10.0.1", security=True, cves=("CVE-2026-21218",))
    await fleet.publish_runtime("10.0.1")


async def test_the_first_run_looks_at_everything_and_the_next_one_acts_on_what_moved(
    fleet: SampleFleet, runner: Runner, inputs: dict[str, str]
) -> None:
    first = await runner.run(**inputs)
    assert first.code == 0, first.log
    assert first.outputs["state"] == "kept"
    await patch(fleet)
    second = await runner.run(**inputs)
    assert second.code == 0, second.log
    assert second.outputs["moved"] == "1"
    assert int(second.outputs["pull-requests"]) > 0
    assert f"`{ASPNET.partition('/')[2]}:{RUNTIME_TAG}`, now .NET 10.0.1" in second.summary
