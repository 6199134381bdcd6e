"""A store that knows less than the one in which a text was made makes that no poorer."""

from dataclasses import replace

import pytest

from bot.domain.bases.change import Cause, SecurityRelease, ToldWay
from bot.domain.repositories.repository import AZURE_DEVOPS
from bot.domain.rollouts.marker import read_marker
from bot.domain.rollouts.rebuild import RebuildState, Target
from tests.unit.fleet.act.world import ASPNET, BRANCH, World, change, digest, member, rebuild

CVE = "CVE-2026-21218"
KNOWN = change(cves=(CVE,))


async def opened(world: World) -> None:
    world.add(rebuild(), None, KNOWN)
    await world.tick()
    assert world.shop.requests[1].title == "Refresh aspnet:10.0 to .NET 10.0.5 (1 CVE)"


async def tried_anew(world: World, *, to: str = "b") -> None:
    """By a store that has not seen the base move."""
    targets = (Target(ASPNET, None, digest(to), ()),)
    world.add(rebuild(id=2, to=to, targets=targets))
    world.store.alter(2, changes=())
    await world.tick()
    assert world.store[2].state is RebuildState.OPEN


async def test_a_text_is_not_made_poorer_by_a_store_that_knows_nothing_of_its_digests(world: World) -> None:
    await opened(world)
    before = world.shop.requests[1]
    await tried_anew(world)
    assert world.shop.requests[1] == before


async def test_nor_by_one_that_knows_of_the_same_news_without_the_digest_before(world: World) -> None:
    await opened(world)
    before = world.shop.requests[1]
    world.add(
        rebuild(id=2, targets=(Target(ASPNET, None, digest("b"), (1,)),)), None, replace(KNOWN, from_digest=None)
    )
    await world.tick()
    assert world.shop.requests[1] == before


async def test_a_cause_that_nobody_has_told_replaces_none(world: World) -> None:
    await opened(world)
    before = world.shop.requests[1]
    world.add(rebuild(id=2), None, change(cause=Cause.DOTNET_UNKNOWN))
    await world.tick()
    assert world.shop.requests[1].title == before.title
    assert CVE in world.shop.requests[1].body


async def test_between_two_causes_the_store_decides(world: World) -> None:
    await opened(world)
    world.add(rebuild(id=2), None, change(cause=Cause.DOTNET_RELEASE))
    await world.tick()
    assert world.shop.requests[1].title == "Refresh aspnet:10.0 to .NET 10.0.5"
    assert CVE not in world.shop.requests[1].body


async def test_what_was_told_of_other_digests_counts_for_none(world: World) -> None:
    await opened(world)
    await tried_anew(world, to="c")
    assert CVE not in world.shop.requests[1].body


async def test_on_top_of_peoples_commits_the_text_tells_what_the_store_knows(world: World) -> None:
    await opened(world)
    world.shop.amend(BRANCH, {"README.md": b"mine\n"})
    await tried_anew(world)
    assert CVE not in world.shop.requests[1].body


async def test_nothing_counts_that_the_bots_commit_does_not_name(world: World) -> None:
    await opened(world)
    request = world.shop.requests[1]
    said = request.body.replace(digest("b"), digest("c"))
    world.shop.requests[1] = replace(request, body=said)
    await tried_anew(world, to="c")
    assert CVE not in world.shop.requests[1].body


@pytest.mark.parametrize("line", ["", "<!-- freshness-bot facts {broken} -->\n"])
async def test_a_text_of_an_earlier_version_for_the_same_digests_stays(world: World, line: str) -> None:
    await opened(world)
    request = world.shop.requests[1]
    first, _, rest = request.body.partition("\n")
    _, _, rest = rest.partition("\n")
    world.shop.requests[1] = replace(request, body=f"{first}\n{line}{rest}")
    before = world.shop.requests[1]
    await tried_anew(world)
    assert world.shop.requests[1] == before


OLDER = ToldWay(
    change(cause=Cause.DOTNET_SECURITY, cves=("CVE-2026-20907",), from_version="10.0.1"),
    (SecurityRelease(KNOWN.at, "10.0.5"),),
)


async def test_what_releases_told_stays_where_they_tell_nothing_now(world: World) -> None:
    world.add(rebuild(), None, OLDER.change)
    world.store.alter(1, told_ways={ASPNET: OLDER})
    await world.tick()
    before = world.shop.requests[1]
    assert "has gone on from what is named here" in before.body
    await tried_anew(world)
    assert world.shop.requests[1] == before


async def test_what_releases_tell_adds_nothing_to_a_way_that_was_seen_from_the_same_version_on(
    world: World,
) -> None:
    await opened(world)
    before = world.shop.requests[1]
    targets = (Target(ASPNET, None, digest("b"), ()),)
    world.add(rebuild(id=2, targets=targets))
    way = ToldWay(replace(KNOWN, from_digest=None))
    world.store.alter(2, changes=(way.change,), told_ways={ASPNET: way})
    await world.tick()
    assert world.shop.requests[1] == before


async def test_what_has_no_room_in_a_body_is_marked_beside_it_and_remembered_all_the_same(world: World) -> None:
    """As in Azure Repos, whose texts are short."""
    world.shop.forge = AZURE_DEVOPS
    home = replace(member(), forge=AZURE_DEVOPS)
    cves = tuple(f"CVE-2026-{number:05}" for number in range(95))
    world.add(rebuild(), home, change(cves=cves, not_relevant=cves))
    await world.tick()
    before = world.shop.requests[1]
    assert read_marker(before.body) == ()
    assert read_marker("", before.marker)[0].changes[0].cves == cves
    world.add(rebuild(id=2, targets=(Target(ASPNET, None, digest("b"), ()),)), home)
    world.store.alter(2, changes=())
    await world.tick()
    assert world.shop.requests[1] == before
