"""Two forges are listed each by itself: only the whole list of one closes what is known of it."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import cast

import pytest

from bot.domain.failure import Failure, Trouble
from bot.domain.forge.looks import Silence
from bot.domain.forge.port import Forge
from bot.domain.host import Host
from bot.domain.repositories.repository import GITHUB
from bot.files.formats.memory import Memory
from bot.fleet.discover.ports import DiscoverOptions
from bot.fleet.discover.selection import Selection
from bot.fleet.discover.tick import DiscoverTally, tick
from bot.fleet.wiring.routing import Forges
from bot.reconcile.loop import Loop
from tests.fakes.forge import FakeForge
from tests.integration.store.filling import HOUR, Stores

AZURE = "azure-devops"
FILES = {"Dockerfile": b"FROM mcr.microsoft.com/dotnet/aspnet:10.0\n"}
SHOP, DESK = "contoso/shop", "contoso/team/desk"
HOST = Host("api.github.com", others={AZURE: Host("dev.azure.com")})
OPTIONS = DiscoverOptions(Selection(include=("contoso/*",)), host=HOST)


@dataclass(slots=True)
class Two:
    """A repository at each of two forges."""

    stores: Stores
    files: dict[str, bytes] = field(default_factory=lambda: FILES)
    github: FakeForge = field(init=False)
    azure: FakeForge = field(init=False)
    forges: dict[str, FakeForge] = field(init=False)
    loop: Loop = field(init=False)

    def __post_init__(self) -> None:
        clock = self.stores.clock
        self.github, self.azure = FakeForge(clock), FakeForge(clock, forge=AZURE)
        self.forges, self.loop = {GITHUB: self.github, AZURE: self.azure}, Loop(clock)
        self.github.add(SHOP, self.files)
        self.azure.add(DESK, self.files)

    async def tick(self) -> DiscoverTally:
        """Once, an hour later."""
        self.stores.clock.advance(HOUR + timedelta(minutes=1))
        forges = cast(dict[str, Forge], self.forges)
        forge = cast(Forge, Forges(forges))
        return await tick(self.stores.discover, forge, Memory(), OPTIONS, self.loop, forges)

    async def known(self) -> list[str]:
        return sorted({*await self.known_of(GITHUB), *await self.known_of(AZURE)})

    async def known_of(self, forge: str) -> set[str]:
        return set((await self.stores.discover.known_fleet(forge)).names)

    async def incidents(self) -> list[tuple[str, str]]:
        return [(each.subject, each.detail) for each in (await self.stores.fleet_views.status()).incidents]


@pytest.fixture
def two(stores: Stores) -> Two:
    return Two(stores)


async def test_each_is_listed_and_read_at_its_own_forge(two: Two) -> None:
    tally = await two.tick()
    assert (tally.listed, tally.read, tally.problems) == (2, 2, [])
    assert (await two.known_of(GITHUB), await two.known_of(AZURE)) == ({SHOP}, {DESK})
    assert [[name for name, _ in fake.asked].count("tree") for fake in (two.github, two.azure)] == [1, 1]


async def test_a_forge_that_cannot_be_listed_closes_nothing_of_its_own_and_the_other_goes_on(two: Two) -> None:
    await two.tick()
    two.azure.failing["repositories"] = Failure(Trouble.UNREACHABLE, "no answer")
    two.github.homes[0].is_gone = True
    tally = await two.tick()
    assert tally.problems == ["listing repositories at Azure DevOps: no answer"]
    assert await two.known() == [DESK]


async def test_the_incident_of_a_forge_that_cannot_be_listed_is_ended_by_its_own_list_alone(two: Two) -> None:
    await two.tick()
    two.azure.failing["repositories"] = Failure(Trouble.DENIED, "no right")
    for _ in range(2):
        await two.tick()
        assert await two.incidents() == [("Azure DevOps's list of repositories", "no right")]
    two.azure.failing.clear()
    await two.tick()
    assert await two.incidents() == []


async def test_an_owner_who_is_silent_at_one_forge_keeps_nothing_at_the_other(two: Two) -> None:
    await two.tick()
    for fake in (two.github, two.azure):
        fake.homes[0].is_gone = True
    two.azure.silent_owners = {"contoso": Silence("nothing can be seen of contoso")}
    await two.tick()
    assert await two.known() == [DESK]
    [(subject, detail)] = await two.incidents()
    assert subject == "access to the fleet at Azure DevOps"
    assert detail.startswith("nothing can be seen of contoso; what is known of 1 repository there stays")


async def test_each_forge_that_shows_little_of_its_own_is_doubted_for_a_day_of_its_own(two: Two) -> None:
    for number in range(9):
        for fake, folder in ((two.github, "contoso"), (two.azure, "contoso/team")):
            fake.add(f"{folder}/app-{number}", FILES)
    await two.tick()
    for home in two.azure.homes[1:]:
        home.is_gone = True
    await two.tick()
    assert [subject for subject, _ in await two.incidents()] == ["access to the fleet at Azure DevOps"]
    for _ in range(20):
        await two.tick()
    for home in two.github.homes[1:]:
        home.is_gone = True
    for _ in range(5):
        await two.tick()
    assert (len(await two.known_of(GITHUB)), len(await two.known_of(AZURE))) == (10, 1)


async def test_what_a_forge_held_leaves_a_day_after_the_settings_name_it_no_more(two: Two) -> None:
    await two.tick()
    del two.forges[AZURE]
    for _ in range(20):
        await two.tick()
        assert await two.known() == [SHOP, DESK]
    [(subject, detail)] = await two.incidents()
    assert subject == "access to the fleet at Azure DevOps"
    assert detail.startswith("the settings do not name Azure DevOps any more; what is known of 1 repository there")
    for _ in range(6):
        await two.tick()
    assert await two.known() == [SHOP]


async def test_a_replica_without_the_settings_of_a_forge_leaves_its_list_to_those_that_have_them(two: Two) -> None:
    await two.tick()
    for _ in range(30):
        azure = two.forges.pop(AZURE)
        await two.tick()
        two.forges[AZURE] = azure
        two.stores.clock.advance(-HOUR)
        await two.tick()
    assert (await two.known(), await two.incidents()) == ([SHOP, DESK], [])


async def test_a_forge_that_nobody_could_ask_for_long_is_not_given_up_by_the_first_who_comes(two: Two) -> None:
    await two.tick()
    two.stores.clock.advance(timedelta(days=3))
    azure = two.forges.pop(AZURE)
    await two.tick()
    assert await two.known() == [SHOP, DESK]
    two.forges[AZURE] = azure
    await two.tick()
    assert (await two.known(), await two.incidents()) == ([SHOP, DESK], [])


async def test_the_first_look_is_not_over_while_a_forge_was_not_listed(stores: Stores) -> None:
    two = Two(stores, {"README.md": b"a shop\n"})
    await stores.discover.expect_listing(two.forges)
    azure = two.forges.pop(AZURE)
    stores.clock.advance(-HOUR)
    await two.tick()
    assert not await stores.catch_up.is_fleet_read()
    two.forges[AZURE] = azure
    await two.tick()
    assert await stores.catch_up.is_fleet_read()


async def test_a_forge_that_cannot_be_listed_keeps_no_first_look_waiting(stores: Stores) -> None:
    two = Two(stores, {"README.md": b"a shop\n"})
    two.azure.failing["repositories"] = Failure(Trouble.DENIED, "no right")
    await two.tick()
    assert await stores.catch_up.is_fleet_read()


async def test_a_forge_takes_no_name_that_another_gives(two: Two) -> None:
    """Else one name would stand for two repositories, for commands as for pages."""
    two.azure.add("contoso/shop-of-two-parts", FILES)
    two.github.add("contoso/team/of-three-parts", FILES)
    tally = await two.tick()
    assert await two.known() == [SHOP, DESK]
    assert sorted(each for each in tally.problems if "parts" in each) == [
        "Azure DevOps shows contoso/shop-of-two-parts, whose name is not organisation/project/name; it is left out",
        "GitHub shows contoso/team/of-three-parts, whose name is not owner/name; it is left out",
    ]
