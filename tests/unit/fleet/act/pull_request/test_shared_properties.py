"""A pull request for a base whose version another file holds than the one that names it."""

from bot.domain.rollouts.rebuild import RebuildState
from bot.files.formats.rewrite.refresh import refresh
from bot.fleet.act import tick as stage
from tests.unit.fleet.act.world import ASPNET, BRANCH, World, change, digest, rebuild

SHARED = b"<Project><PropertyGroup>\n<AspNetVersion>10.0.1</AspNetVersion>\n</PropertyGroup></Project>\n"
PROJECT = (
    '<Project Sdk="Microsoft.NET.Sdk.Web"><PropertyGroup>\n'
    f"<ContainerBaseImage>{ASPNET.name}:$(AspNetVersion)@{digest('a')}</ContainerBaseImage>\n"
    "</PropertyGroup></Project>\n"
).encode()
PATHS = ("Directory.Build.props", "src/Api.csproj")


async def acted(world: World, **others: bytes) -> World:
    files = {"Directory.Build.props": SHARED, "src/Api.csproj": PROJECT, **others}
    world.shop.commit_to("main", files)
    world.add(rebuild(), None, change(to_version="10.0.4"), paths=PATHS)
    await stage.tick(world.store, world.forge, world.forge, world.registry, refresh, world.options, world.loop)
    return world


async def test_the_version_and_the_digest_are_moved_in_their_files(world: World) -> None:
    await acted(world)
    assert world.store[1].state is RebuildState.OPEN
    assert world.shop.content(BRANCH, PATHS[0]) == SHARED.decode().replace("10.0.1", "10.0.4")
    assert world.shop.content(BRANCH, PATHS[1]) == PROJECT.decode().replace(digest("a"), digest("b"))


async def test_what_another_project_would_lose_is_refused_with_the_reason(world: World) -> None:
    other = PROJECT.replace(b"dotnet/aspnet", b"dotnet/runtime")
    await acted(world, **{"src/Worker.csproj": other})
    assert world.shop.requests == {}
    assert world.store[1].state is RebuildState.SKIPPED
    assert "in src/Worker.csproj:2 too; change both alike" in world.store[1].reason


async def test_a_project_in_a_repository_without_commits_is_skipped_as_any(world: World) -> None:
    world.shop.branches.clear()
    world.add(rebuild(), paths=("src/App.csproj",))
    await world.tick()
    assert (world.store[1].state, world.store[1].reason) == (RebuildState.SKIPPED, "the repository has no commits")
