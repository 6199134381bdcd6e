"""No tag is written that the registry does not show, whenever a file came to need it."""

from bot.domain.rollouts.rebuild import RebuildState
from bot.files.formats.rewrite.refresh import refresh
from bot.fleet.act import tick as stage
from tests.unit.fleet.act.world import ASPNET, BRANCH, World, change, digest, rebuild


async def tick(world: World) -> None:
    await stage.tick(world.store, world.forge, world.forge, world.registry, refresh, world.options, world.loop)


async def test_a_tag_that_a_file_came_to_need_since_the_plan_is_waited_for_like_any_other(world: World) -> None:
    world.shop.commit_to("main", {"Dockerfile": f"FROM {ASPNET.name}:10.0.1@{digest('a')}\n".encode()})
    world.registry.absent.add("10.0.5")
    world.add(rebuild(), None, change(to_version="10.0.5"))
    await tick(world)
    assert (world.store[1].state, world.shop.requests) == (RebuildState.WAITING, {})
    assert world.store[1].reason == f"{ASPNET.name}:10.0.5@{digest('b')} is not published yet"
    world.registry.absent.clear()
    world.clock.move_to(world.store[1].due_at)
    await tick(world)
    assert world.store[1].state is RebuildState.OPEN
    assert world.shop.content(BRANCH, "Dockerfile") == f"FROM {ASPNET.name}:10.0.5@{digest('b')}\n"


async def test_a_file_that_is_ahead_by_now_ends_the_rebuild(world: World) -> None:
    world.shop.commit_to("main", {"Dockerfile": f"FROM {ASPNET.name}:10.0.6@{digest('f')}\n".encode()})
    world.add(rebuild(), None, change(to_version="10.0.5"))
    await tick(world)
    assert (world.store[1].state, world.shop.requests) == (RebuildState.SUCCEEDED, {})
