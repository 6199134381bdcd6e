"""Repositories in Azure Repos are listed and read with few requests, as the sandbox's service counts them."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import cast

import pytest

from bot.clients.forges.azure_devops.repos import Repos
from bot.clients.http.client import Http
from bot.domain.forge.port import Forge
from bot.domain.host import Host
from bot.domain.repositories.repository import AZURE_DEVOPS, GITHUB
from bot.files.formats.memory import Memory
from bot.fleet.discover.ports import DiscoverOptions
from bot.fleet.discover.selection import Selection
from bot.fleet.discover.tick import DiscoverTally, tick
from bot.fleet.wiring.routing import Forges
from bot.reconcile.loop import Loop
from sandbox.azure_devops.service import PROJECT, Service
from tests.conftest import SHARED
from tests.fakes.forge import FakeForge
from tests.integration.store.filling import HOUR, Stores
from tests.unit.clients.forges.azure_devops.playing import played, transports_of

OPTIONS = DiscoverOptions(
    host=Host("api.github.com", others={AZURE_DEVOPS: Host("dev.azure.com")}),
    selections={AZURE_DEVOPS: Selection(("contoso/team */*",), ("contoso/*/left-*",))},
)
FILES = {
    "src/Dockerfile": b"FROM mcr.microsoft.com/dotnet/aspnet:10.0\n",
    "worker/Dockerfile": b"FROM mcr.microsoft.com/dotnet/runtime:10.0\n",
    ".github/workflows/build.yml": b"on: {workflow_dispatch: {}}\njobs: {}\n",
}
SHOP = "contoso/team one/shop"


class Fleet:
    """What the service holds, and what is asked of it."""

    def __init__(self, stores: Stores, http: Http, service: Service) -> None:
        self.stores, self.service = stores, service
        repos = cast(Forge, Repos(transports_of(http, stores.clock)))
        self.forges = {GITHUB: cast(Forge, FakeForge(stores.clock)), AZURE_DEVOPS: repos}
        self.loop = Loop(stores.clock)

    async def tick(self) -> DiscoverTally:
        forge = cast(Forge, Forges(self.forges))
        return await tick(self.stores.discover, forge, Memory(), OPTIONS, self.loop, self.forges)

    async def names(self) -> set[str]:
        return set((await self.stores.discover.known_fleet(AZURE_DEVOPS)).names)

    def asked(self) -> list[str]:
        """What was asked below repositories, and no longer than until now."""
        paths = [f"{method} {path.partition('/repositories/')[2]}" for method, path in self.service.asked]
        self.service.asked.clear()
        return [path.partition("/")[2] for path in paths if "/" in path]


@pytest.fixture
async def fleet(stores: Stores) -> AsyncIterator[Fleet]:
    service = Service(SHARED / "azure-devops" if SHARED.is_dir() else None, stores.clock)
    async with Http(stores.clock, transport=played(service)) as http:
        yield Fleet(stores, http, service)
    assert service.mistakes == []


async def test_a_repository_is_read_with_few_requests_and_while_unchanged_with_two_a_day(fleet: Fleet) -> None:
    home = fleet.service.repos.create("shop", PROJECT)
    fleet.service.repos.push(home, "main", FILES)
    tally = await fleet.tick()
    assert (tally.listed, tally.read, tally.problems) == (1, 1, [])
    first = fleet.asked()
    assert first == ["items", f"trees/{home.git.commits[home.git.branches['main']].tree}", "blobs"]
    assert len(first) <= 6
    for _ in range(24):
        fleet.stores.clock.advance(HOUR)
        await fleet.tick()
    assert fleet.asked() == ["items", "items"]


async def test_what_was_pushed_is_found_within_half_a_day(fleet: Fleet) -> None:
    home = fleet.service.repos.create("shop", PROJECT)
    fleet.service.repos.push(home, "main", FILES)
    await fleet.tick()
    fleet.service.repos.push(home, "main", {"src/Dockerfile": b"FROM mcr.microsoft.com/dotnet/aspnet:9.0\n"})
    fleet.stores.clock.advance(timedelta(hours=11))
    assert (await fleet.tick()).read == 0
    fleet.stores.clock.advance(timedelta(hours=1))
    assert (await fleet.tick()).read == 1


async def test_a_renamed_repository_stays_the_same_and_what_is_not_named_disabled_or_empty_is_told_apart(
    fleet: Fleet,
) -> None:
    repos = fleet.service.repos
    shop, left, asleep, empty = [repos.create(name, PROJECT) for name in ("shop", "left-out", "asleep", "empty")]
    for home in (shop, left, asleep):
        repos.push(home, "main", FILES)
    asleep.is_disabled = True
    tally = await fleet.tick()
    assert (await fleet.names(), tally.problems) == ({SHOP, "contoso/team one/empty"}, [])
    before = (await fleet.stores.discover.known_fleet(AZURE_DEVOPS)).keys[SHOP]
    shop.name, asleep.is_disabled = "store", False
    repos.push(empty, "main", FILES)
    fleet.stores.clock.advance(HOUR + timedelta(minutes=1))
    tally = await fleet.tick()
    known = await fleet.stores.discover.known_fleet(AZURE_DEVOPS)
    assert known.names == {"contoso/team one/store", "contoso/team one/empty", "contoso/team one/asleep"}
    assert known.keys["contoso/team one/store"] == before
    assert tally.read == 2


async def test_an_organisation_that_lets_nobody_in_loses_nothing_of_what_is_known(fleet: Fleet) -> None:
    home = fleet.service.repos.create("shop", PROJECT)
    fleet.service.repos.push(home, "main", FILES)
    await fleet.tick()
    fleet.service.token = "another"
    fleet.stores.clock.advance(HOUR + timedelta(minutes=1))
    tally = await fleet.tick()
    assert await fleet.names() == {SHOP}
    [problem] = tally.problems
    assert problem.startswith("listing repositories at Azure DevOps: ")
    assert "answered with a page to sign in at" in problem
