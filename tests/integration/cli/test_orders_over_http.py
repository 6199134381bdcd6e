"""Words of a person as commands, and a policy that was tried out: what GitHub holds in the end."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml

from sandbox.fleets.fleet import SampleFleet
from sandbox.world import World
from tests.integration.cli.conftest import Command
from tests.migrated import new_sqlite

SETTINGS = {
    "policy": [
        {"match": {"repositories": ["contoso/catalog-web"]}, "wave": "canary", "settle": "0s"},
        {
            "match": {"repositories": ["contoso/search-worker"]},
            "labels": ["patch"],
            "draft": True,
            "branch_prefix": "deps/",
        },
        {"wave": "rest", "settle": "0s"},
    ],
    "rollout": {"waves": [{"name": "canary", "soak": "0s"}, {"name": "rest"}], "pause_when_failed": "100%"},
}
Told = Callable[..., Awaitable[str]]


@pytest_asyncio.fixture
async def fleet(world: World) -> SampleFleet:
    found = SampleFleet(world)
    await found.build("10.0.0")
    return found


@pytest_asyncio.fixture
async def told(bot: Command, world: World, tmp_path: Path) -> Told:
    """Runs a command with the settings above, which must succeed; what it printed."""
    config = world.config(tmp_path, new_sqlite(tmp_path / "freshness.db"))
    config.write_text(yaml.safe_dump(yaml.safe_load(config.read_text()) | SETTINGS))

    async def run(*words: str) -> str:
        ran = await asyncio.to_thread(bot, *words, "-c", config)
        assert ran.code == 0, ran.err
        return ran.out

    return run


async def requests_of(world: World, name: str) -> list[dict[str, Any]]:
    return await world.github.pull_requests(name, state="all")


@pytest.mark.long
async def test_what_is_held_and_skipped_begins_no_more_and_what_failed_is_tried_again(
    fleet: SampleFleet, world: World, told: Told
) -> None:
    await told("once")
    await fleet.publish_runtime("10.0.1")
    await told("once")
    [first] = world.github.runs("catalog-web")

    by = ("--as", "ann", "--reason", "a release is on")
    assert await told("hold", "contoso/payments-api", *by) == "contoso/payments-api: 1 rebuild held.\n"
    assert await told("skip", "contoso/orders-api", *by) == "contoso/orders-api: 1 rebuild called off.\n"
    world.github.finish_run(first.id, "failure")
    await told("once")
    assert await told("retry", "contoso/catalog-web", *by) == "contoso/catalog-web: 1 rebuild due now.\n"
    await told("once")
    [second] = [run for run in world.github.runs("catalog-web") if run.id != first.id]
    world.github.finish_run(second.id, "success")
    for _ in range(2):
        await told("once")

    assert [request["state"] for request in await requests_of(world, "search-worker")] == ["open"]
    assert await requests_of(world, "payments-api") == await requests_of(world, "orders-api") == []
    assert len(world.github.runs("catalog-web")) == 2

    await told("retry", "contoso/payments-api", *by)
    await told("once")
    [held] = await requests_of(world, "payments-api")
    await told("skip", "contoso/payments-api", *by)
    await told("once")
    [skipped] = await requests_of(world, "payments-api")
    assert (held["state"], skipped["state"], skipped["number"]) == ("open", "closed", held["number"])
    entries = json.loads(await told("journal", "-f", "json"))
    assert [(entry["what"], entry["subject"], entry["who"]) for entry in reversed(entries)] == [
        ("hold", "contoso/payments-api", "ann"),
        ("skip", "contoso/orders-api", "ann"),
        ("retry", "contoso/catalog-web", "ann"),
        ("retry", "contoso/payments-api", "ann"),
        ("skip", "contoso/payments-api", "ann"),
    ]


async def test_what_a_policy_was_tried_out_to_ask_for_is_what_github_holds(
    fleet: SampleFleet, world: World, told: Told
) -> None:
    await world.github.ask("POST", "/repos/contoso/search-worker/labels", {"name": "patch", "color": "ededed"})
    asked = ("-b", f"{fleet.registry}/dotnet/aspnet:10.0-noble-chiseled", "--cause", "dotnet-unknown", "-f", "json")
    terms = {
        name: json.loads(await told("policy", "test", "-r", f"contoso/{name}", *asked))["terms"]
        for name in ("catalog-web", "search-worker")
    }
    assert {name: (each["wave"]["value"], each["wave"]["rule"]) for name, each in terms.items()} == {
        "catalog-web": ("canary", 0),
        "search-worker": ("rest", 2),
    }
    await told("once")
    await fleet.publish_runtime("10.0.1")
    await told("once")
    [run] = world.github.runs("catalog-web")
    assert await requests_of(world, "search-worker") == []
    world.github.finish_run(run.id, "success")
    for _ in range(2):
        await told("once")

    [request] = await requests_of(world, "search-worker")
    assert request["draft"] is terms["search-worker"]["draft"]["value"] is True
    assert {label["name"] for label in request["labels"]} == {
        *terms["search-worker"]["labels"]["value"],
        "freshness",
    }
    assert request["head"]["ref"].startswith(terms["search-worker"]["branch_prefix"]["value"])
