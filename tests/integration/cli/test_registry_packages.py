"""What is inside an image in its registry, without an engine and without a store."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
import yaml

from sandbox.images import dotnet_image, on_top
from sandbox.world import World
from tests.integration.cli.conftest import Command


@pytest_asyncio.fixture
async def config(shared_world: World, tmp_path: Path) -> AsyncIterator[Path]:
    """Settings that know the world's registry and nothing else."""
    path = tmp_path / "registries.yaml"
    path.write_text(yaml.safe_dump({"registries": {shared_world.registry.host: {"insecure": True}}, "bases": []}))
    yield path


async def test_an_image_is_listed_from_its_layers(bot: Command, shared_world: World, config: Path) -> None:
    base = dotnet_image("aspnet", "10.0.4", os=b"noble 7")
    application = {"app/shop.deps.json": b'{"libraries": {"Serilog/4.0.0": {"type": "package"}}}'}
    pushed = await shared_world.registry.push("apps/listed", "1", on_top(base, application))
    listed = [
        ("deb", "base-files", "13ubuntu10"),
        ("deb", "libssl3t64", "3.0.13-0ubuntu3.7"),
        ("nuget", "Microsoft.NETCore.App", "10.0.4"),
        ("nuget", "Serilog", "4.0.0"),
    ]
    by_digest = f"{shared_world.registry.host}/apps/listed@{pushed.digest}"
    for name in (pushed.reference, by_digest):
        ran = await asyncio.to_thread(bot, "packages", "list", name, "-c", config, "-f", "json")
        assert ran.code == 0
        assert [(row["type"], row["name"], row["version"]) for row in json.loads(ran.out)] == listed


async def test_below_an_image_stand_the_sboms_that_its_registry_shows(
    bot: Command, shared_world: World, config: Path
) -> None:
    pushed = await shared_world.registry.push("apps/told", "1", dotnet_image("runtime", "10.0.4"))
    listed = {"type": "library", "name": "zlib1g", "purl": "pkg:deb/ubuntu/zlib1g@1.3?arch=amd64"}
    document = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [listed]}
    kind = "application/vnd.cyclonedx+json"
    attached = (kind, json.dumps(document).encode())
    await shared_world.registry.attach("apps/told", pushed.digest, kind, {}, attached)
    ran = await asyncio.to_thread(bot, "packages", "list", pushed.reference, "-c", config)
    assert ran.code == 0
    assert "SBOM (referrer) with 1 package, claimed: not signed" in ran.out
    assert "zlib1g" in ran.out


async def test_two_images_are_compared(bot: Command, shared_world: World, config: Path) -> None:
    for tag in ("1", "2"):
        await shared_world.registry.push(
            "apps/moved", tag, dotnet_image("runtime", "10.0.4", os=f"noble {tag}".encode())
        )
    name = f"{shared_world.registry.host}/apps/moved"
    ran = await asyncio.to_thread(bot, "packages", "diff", f"{name}:1", f"{name}:2", "-c", config, "-f", "json")
    assert ran.code == 1
    [change] = json.loads(ran.out)
    assert (change["name"], change["direction"]) == ("libssl3t64", "up")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("apps/none:1", "is not there (404)"),
        ("apps/single:1 --platform linux/s390x", "has no image for linux/s390x"),
        ("apps/alone:1 --platform linux/s390x", "has no image for linux/s390x: it is for linux/amd64"),
    ],
)
async def test_what_is_not_there_is_one_clear_line(
    bot: Command, shared_world: World, config: Path, name: str, told: str
) -> None:
    await shared_world.registry.push("apps/single", "1", dotnet_image("runtime", "10.0.4"))
    alone = replace(dotnet_image("runtime", "10.0.4"), platforms=("linux/amd64",))
    await shared_world.registry.push("apps/alone", "1", alone, single=True)
    ran = await asyncio.to_thread(
        bot, "packages", "list", *f"{shared_world.registry.host}/{name}".split(), "-c", config
    )
    assert (ran.code, told in ran.err) == (2, True)


async def test_a_registry_that_is_not_in_the_settings_is_not_asked(bot: Command, config: Path) -> None:
    ran = await asyncio.to_thread(bot, "packages", "list", "registry.example/apps/shop:1", "-c", config)
    assert (ran.code, "is no configured registry" in ran.err) == (2, True)
