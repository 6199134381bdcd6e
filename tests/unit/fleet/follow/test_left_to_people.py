"""Pull requests that people have pointed at another branch than the default one are theirs, wherever that ends."""

from datetime import timedelta

import pytest

from bot.domain.rollouts.rebuild import Rebuild, RebuildState
from bot.fleet.follow import tick as stage
from bot.fleet.follow.tick import FollowOptions
from tests.unit.fleet.act.world import World, new_world, rebuild

OPTIONS = FollowOptions(timedelta(minutes=5))
TOLD = "pull request #1 goes to release and not to main, so it is left to people"


@pytest.fixture
async def world() -> World:
    """A rebuild whose pull request is open, and a branch for releases."""
    world = new_world()
    world.add(rebuild())
    await world.tick()
    world.shop.branches["release"] = world.shop.branches["main"]
    world.forge.calls.clear()
    return world


async def followed(world: World) -> Rebuild:
    """Looked at as often as it is due within an hour, by whoever is to."""
    for _ in range(12):
        world.clock.advance(timedelta(minutes=5))
        await stage.tick(world.store, world.forge, world.forge, OPTIONS, world.loop)
        await world.tick()
    return world.store[1]


async def test_that_it_was_pointed_elsewhere_is_told_once(world: World) -> None:
    before = world.store[1].facts_version
    world.shop.edit(1, base="release")
    after = await followed(world)
    assert (after.state, after.reason) == (RebuildState.OPEN, TOLD)
    assert after.facts_version == after.text_version == before + 1


async def test_it_is_neither_brought_up_to_date_nor_closed_there(world: World) -> None:
    world.shop.edit(1, base="release", is_conflicted=True)
    after = await followed(world)
    assert (after.state, world.forge.calls) == (RebuildState.OPEN, [])


async def test_a_merge_by_itself_that_a_person_asked_for_there_stands(world: World) -> None:
    world.shop.edit(1, base="release", is_to_merge=True)
    await followed(world)
    assert (world.shop.requests[1].is_to_merge, world.forge.calls) == (True, [])


async def test_pointed_back_it_is_the_bots_again(world: World) -> None:
    world.shop.edit(1, base="release")
    await followed(world)
    world.shop.edit(1, base="main", is_conflicted=True)
    world.shop.commit_to("main", {"README.md": b"more"})
    after = await followed(world)
    assert (after.state, after.reason) == (RebuildState.OPEN, "aspnet:10.0 moved; pull request #1 is open")
    assert "carry_out" in world.forge.calls


async def test_merged_elsewhere_it_is_not_merged_for_the_bot(world: World) -> None:
    world.shop.edit(1, base="release")
    world.shop.merge(1)
    after = await followed(world)
    told = "pull request #1 was merged into release and not into main, where what it brings is missing"
    assert (after.state, after.reason, after.merge) == (RebuildState.CANCELLED, told, None)


async def test_what_was_merged_elsewhere_and_has_reached_the_default_branch_is_followed_there(world: World) -> None:
    world.shop.edit(1, base="release")
    world.shop.merge(1)
    world.shop.branches["main"] = world.shop.branches["release"]
    assert (await followed(world)).state is RebuildState.BUILDING


async def test_closed_elsewhere_it_is_closed(world: World) -> None:
    world.shop.edit(1, base="release")
    world.shop.close(1)
    after = await followed(world)
    assert (after.state, after.reason) == (RebuildState.CANCELLED, "pull request #1 was closed unmerged")


async def test_a_label_that_has_it_go_counts_there_too(world: World) -> None:
    world.shop.edit(1, base="release", labels=("freshness:ignore",))
    assert (await followed(world)).state is RebuildState.CANCELLED
    assert not world.shop.requests[1].is_open


async def test_a_default_branch_that_was_renamed_takes_its_pull_request_along(world: World) -> None:
    reason = world.store[1].reason
    world.shop.rename_trunk("trunk")
    after = await followed(world)
    assert (after.state, after.reason, world.shop.requests[1].base) == (RebuildState.OPEN, reason, "trunk")


async def test_what_was_merged_before_the_default_branch_was_renamed_is_merged(world: World) -> None:
    world.shop.merge(1)
    world.shop.rename_trunk("trunk")
    assert (await followed(world)).state is RebuildState.BUILDING


async def test_what_goes_to_the_default_branch_of_before_is_left_to_people(world: World) -> None:
    world.shop.switch_trunk("next")
    after = await followed(world)
    told = "pull request #1 goes to main and not to next, so it is left to people"
    assert (after.state, after.reason, world.forge.calls) == (RebuildState.OPEN, told, [])


async def test_one_whose_node_nobody_knows_is_looked_at_all_the_same(world: World) -> None:
    world.store.alter(1, rebuild=rebuild(state=RebuildState.OPEN, pull_request=1))
    world.shop.edit(1, base="release")
    assert (await followed(world)).reason == TOLD
