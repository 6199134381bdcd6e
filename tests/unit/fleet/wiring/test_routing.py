"""Two forges and what builds at each, as one."""

from typing import Any

import pytest

from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, Meaning, Trouble
from bot.domain.forge.refusals import SightLost
from bot.domain.repositories.repository import GITHUB, Identity
from bot.fleet.wiring.routing import Builders, Forges
from tests.fakes.forge import FakeForge
from tests.unit.fleet.act.world import NOON

AZURE = "azure-devops"
SHOP, DESK = Identity("contoso/shop"), Identity("contoso/team/desk", forge=AZURE)
NAMES = SHOP.name, DESK.name


class Two:
    """A repository at each of two forges."""

    def __init__(self) -> None:
        self.github, self.azure = FakeForge(ManualClock(NOON)), FakeForge(ManualClock(NOON))
        self.github.add(SHOP.name, {"README.md": b"shop\n"})
        self.azure.add(DESK.name, {"README.md": b"desk\n"})
        both = {GITHUB: self.github, AZURE: self.azure}
        self.forges: Any = Forges(both)
        self.builders: Any = Builders(both)


@pytest.fixture
def two() -> Two:
    return Two()


async def test_each_repository_is_read_and_built_where_it_lives(two: Two) -> None:
    assert [entry.path for entry in (await two.forges.tree(DESK, "main")).entries] == ["README.md"]
    await two.builders.dispatch(DESK, "go.yml", ref="main", inputs={})
    assert (two.github.asked, [name for name, _ in two.azure.asked]) == ([], ["tree", "dispatch"])


async def test_many_things_are_asked_of_one_forge_by_way_of_a_repository_of_it(two: Two) -> None:
    assert await two.forges.serving(SHOP) is two.github
    assert await two.builders.serving(DESK) is two.azure


async def test_words_are_asked_for_at_each_forge_once(two: Two) -> None:
    words = await two.forges.standings([SHOP, DESK])
    assert {each.name: word.default_branch for each, word in words.items()} == {
        SHOP.name: "main",
        DESK.name: "main",
    }
    assert [[name for name, _ in fake.asked] for fake in (two.github, two.azure)] == [["standings"]] * 2


async def test_a_forge_in_trouble_keeps_back_its_own_words_alone(two: Two) -> None:
    two.azure.failing["standings"] = Failure(Trouble.UNREACHABLE, "no answer")
    assert {each.name for each in await two.forges.standings([SHOP, DESK])} == {SHOP.name}
    with pytest.raises(Failure, match="no answer"):
        await two.forges.standings([DESK, SHOP])


async def test_a_repository_of_a_forge_that_is_not_set_up_any_more_is_neither_gone_nor_refused(two: Two) -> None:
    forges: Any = Forges({GITHUB: two.github})
    for ask in (forges.standings([DESK]), forges.tree(DESK, "main"), forges.serving(DESK)):
        with pytest.raises(SightLost, match="azure-devops is not set up any more") as raised:
            await ask
        assert raised.value.meaning is Meaning.TRANSIENT
