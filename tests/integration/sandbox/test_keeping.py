"""A world that was put down is taken up again as it was, any number of times."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from sandbox.edges.edge import PATIENCE
from sandbox.fleets.fleet import ASPNET, RUNTIME_TAG, SampleFleet
from sandbox.images import OCI
from sandbox.programs.parts import MissingPart
from sandbox.world import World

SHOP = "catalog-web"
WORKFLOW = ".github/workflows/weekly-rebuild.yml"


@dataclass(frozen=True, slots=True)
class KeptWorld:
    world: World
    fleet: SampleFleet
    folder: Path
    registry: str
    """Where its registry was."""


@pytest_asyncio.fixture
async def kept(tmp_path: Path) -> AsyncIterator[KeptWorld]:
    """The sample fleet with one run under way, put down."""
    try:
        async with World(validate=True) as world:
            fleet = SampleFleet(world)
            await fleet.build()
            await start(world)
            found = KeptWorld(*await world.keep(tmp_path, fleet), tmp_path, world.registry.host)
    except MissingPart as missing:
        pytest.skip(str(missing))
    yield found
    found.world.give_back()


async def start(world: World) -> None:
    await world.github.ask(
        "POST", f"/repos/contoso/{SHOP}/actions/workflows/weekly-rebuild.yml/dispatches", {"ref": "main"}
    )


async def shown(world: World, repository: str, tag: str) -> str:
    """The digest that the registry answers."""
    url = f"http://{world.registry.host}/v2/{repository}/manifests/{tag}"
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
        return str((await client.head(url, headers={"accept": OCI.index})).headers["docker-content-digest"])


async def test_it_goes_on_under_the_same_addresses_with_all_that_was_there(kept: KeptWorld) -> None:
    async with kept.world.going_on(kept.folder, kept.fleet) as (world, fleet):
        assert world.registry.host == kept.registry
        assert fleet.world is world
        assert "--pull" in await world.github.read(SHOP, WORKFLOW)
        assert await shown(world, ASPNET, RUNTIME_TAG) == fleet.digests[f"{ASPNET}:{RUNTIME_TAG}"]
        assert (await world.slack.messages(), world.slack.channel) == ([], kept.world.slack.channel)
        [run] = world.github.runs(SHOP)
        before = fleet.digests[f"contoso/{SHOP}:latest"]
        world.github.finish_run(run.id)
        assert fleet.digests[f"contoso/{SHOP}:latest"] != before, "its build has pushed an image"
        assert world.traffic.violations == []


async def test_what_is_done_to_one_no_other_sees(kept: KeptWorld) -> None:
    async with kept.world.going_on(kept.folder, kept.fleet) as (first, fleet):
        await first.github.create_repository("more", {"README.md": "more\n"})
        await start(first)
        first.feeds.publish_release("9.0", "9.0.1", sdks=["9.0.101"])
        first.github.finish_run(first.github.runs(SHOP)[0].id)
        await fleet.publish_runtime("10.0.1")
        assert len(first.github.runs(SHOP)) == 2
    async with kept.world.going_on(kept.folder, kept.fleet) as (second, untouched):
        assert not await second.github.holds("more")
        [run] = second.github.runs(SHOP)
        assert run.conclusion is None
        assert b"9.0.101" not in second.feeds.document("/dotnet/release-metadata/releases-index.json")
        assert untouched.digests == kept.fleet.digests != fleet.digests
        assert not [entry for entry in second.traffic.requests() if entry.status == 500]


async def test_a_world_that_goes_on_can_be_put_down_in_its_turn(kept: KeptWorld, tmp_path: Path) -> None:
    later = tmp_path / "later"
    later.mkdir()
    async with kept.world.going_on(kept.folder, kept.fleet) as (world, fleet):
        await world.github.create_repository("more", {"README.md": "more\n"})
        again, _ = await world.keep(later, fleet)
    async with again.going_on(later, None) as (world, _):
        assert await world.github.holds("more")
    async with kept.world.going_on(kept.folder, None) as (world, _):
        assert not await world.github.holds("more")
