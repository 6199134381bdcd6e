"""Two forges and what builds at each, as one."""

from typing import Any

import pytest

from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, Meaning, Trouble
from bot.domain.forge.refusals import SightLost
from bot.domain.host import Host
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


@pytest.mark.parametrize(("identity", "name"), [(SHOP, "api.github.com"), (DESK, "dev.azure.com (contoso)")])
@pytest.mark.parametrize("call", ["tree", "standings"])
async def test_a_failure_says_at_which_forge_or_builder_it_was_met(
    two: Two, identity: Identity, name: str, call: str
) -> None:
    host = Host("api.github.com", others={AZURE: Host("dev.azure.com", by_owner=True)})
    forges: Any = Forges({GITHUB: two.github, AZURE: two.azure}, host)
    for fake in (two.github, two.azure):
        fake.failing[call] = Failure(Trouble.THROTTLED, "slow down")
    with pytest.raises(Failure) as raised:
        await (forges.tree(identity, "main") if call == "tree" else forges.standings([identity]))
    assert raised.value.host == name


PIPELINE = "azure-pipelines: Fabrikam/team/12"


async def test_what_one_forge_lists_may_be_built_elsewhere_which_the_workflow_says(two: Two) -> None:
    builders: Any = Builders({GITHUB: two.github, "azure-pipelines": two.azure})
    two.azure.add(SHOP.name, {})
    for workflow in ("go.yml", PIPELINE):
        await builders.dispatch(SHOP.for_builds(workflow), workflow, ref="main", inputs={})
    started = [list(fake.homes[-1].started.values()) for fake in (two.github, two.azure)]
    assert started == [["go.yml"], [PIPELINE]]
    assert await builders.serving(SHOP.for_builds(PIPELINE)) is two.azure


async def test_what_builds_elsewhere_pauses_there_and_by_whose_pipelines_they_are() -> None:
    host = Host("api.github.com", others={"azure-pipelines": Host("dev.azure.com", by_owner=True)})
    assert host.of(SHOP.for_builds(PIPELINE)) == "dev.azure.com (fabrikam)"
    assert host.of(SHOP.for_builds("go.yml")) == "api.github.com"
    assert SHOP.for_builds("go.yml") == SHOP.for_builds(None) == SHOP


async def test_a_builder_that_is_not_set_up_any_more_has_neither_refused_nor_lost_anything(two: Two) -> None:
    builders: Any = Builders({GITHUB: two.github})
    with pytest.raises(SightLost, match="azure-pipelines is not set up any more"):
        await builders.run(SHOP.for_builds(PIPELINE), 7)
