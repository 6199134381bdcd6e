"""What people do with the bot's branches and pull requests is kept."""

from dataclasses import replace
from typing import Any

from bot.domain.reference import Base, Reference
from bot.domain.repositories.usage import Replacement
from bot.domain.rollouts.rebuild import RebuildState, Target
from tests.unit.fleet.act.world import (
    ASPNET,
    BRANCH,
    World,
    change,
    digest,
    rebuild,
    reference,
)


async def test_peoples_commits_on_the_branch_are_kept_and_built_upon(world: World) -> None:
    world.add(rebuild())
    await world.tick()
    for letter in "cd":
        world.shop.commit_to(BRANCH, {f"fix-{letter}.md": b"by hand"})
        world.add(rebuild(id=ord(letter), to=letter), None, change(letter))
        await world.tick()
        assert world.shop.content(BRANCH) == f"FROM {reference(letter)}\n"
    assert world.shop.content(BRANCH, "fix-c.md") == "by hand"
    assert world.shop.content(BRANCH, "fix-d.md") == "by hand"


async def test_a_commit_of_the_bot_that_a_person_amended_is_kept_and_built_upon(world: World) -> None:
    world.add(rebuild())
    await world.tick()
    world.shop.amend(BRANCH, {"fix.md": b"by hand"})
    world.add(rebuild(id=2, to="c"), None, change("c"))
    await world.tick()
    assert world.shop.content(BRANCH) == f"FROM {reference('c')}\n"
    assert world.shop.content(BRANCH, "fix.md") == "by hand"


async def test_what_the_bot_built_on_peoples_commits_is_built_upon_again(world: World) -> None:
    """Its own commit on top must not make the branch look like its own."""
    world.shop.commit_to(BRANCH, {"fix.md": b"by hand"})
    world.add(rebuild())
    await world.tick()
    assert world.shop.content(BRANCH) == f"FROM {reference('b')}\n"
    world.add(rebuild(id=2, to="c"), None, change("c"))
    await world.tick()
    assert world.shop.content(BRANCH) == f"FROM {reference('c')}\n"
    assert world.shop.content(BRANCH, "fix.md") == "by hand"


async def test_peoples_own_update_of_the_branch_is_left(world: World) -> None:
    world.shop.commit_to(BRANCH, {"Dockerfile": f"FROM {reference('b')}\n".encode()})
    commits = len(world.shop.commits)
    world.add(rebuild())
    await world.tick()
    assert world.store[1].state is RebuildState.OPEN
    assert world.shop.content(BRANCH, "README.md") == "shop\n"
    assert len(world.shop.commits) == commits


async def test_a_branch_that_a_merge_left_behind_is_used_anew(world: World) -> None:
    world.add(rebuild())
    await world.tick()
    merged = world.shop.commit_to(BRANCH, {"fix.md": b"by hand"})
    world.shop.requests[1] = replace(world.shop.requests[1], head=merged, is_open=False, is_merged=True)
    trunk = world.shop.commit_to("main", {"Dockerfile": f"FROM {reference('b')}\n".encode(), "fix.md": b"squashed"})
    world.add(rebuild(id=2, to="c"), None, change("c"))
    await world.tick()
    assert world.store[2].pull_request == 2
    assert world.shop.commits[world.shop.branches[BRANCH]].parents == (trunk,)


async def test_a_maintainer_who_closed_it_for_these_digests_has_decided(world: World) -> None:
    world.add(rebuild())
    await world.tick()
    world.shop.close(1)
    world.add(rebuild(id=2))
    await world.tick()
    assert world.store[2].state is RebuildState.CANCELLED
    assert world.store[2].reason == "pull request #1 for these digests was closed by a maintainer"
    assert (world.store[2].pull_request, world.store[2].node_id) == (1, world.shop.requests[1].node_id)
    assert len(world.shop.requests) == 1


SDK = Base(ASPNET.registry, "dotnet/sdk", "10.0")


def pin_both(world: World) -> None:
    pins = f"FROM {SDK}@{digest('d')}\nFROM {reference('a')}\n".encode()
    world.shop.commit_to("main", {"Dockerfile": pins})


def both(world: World, **values: Any) -> None:
    """A rebuild that takes aspnet from a to b and sdk from d to e."""
    targets = (Target(ASPNET, digest("a"), digest("b"), (1,)), Target(SDK, digest("d"), digest("e"), (2,)))
    sdk = replace(change("e"), base=SDK, from_version="10.0.103", to_version="10.0.104")
    moved = Reference(SDK.name, "10.0", digest("e"))
    replacements = (
        Replacement(reference("a"), reference("b")),
        Replacement(Reference(SDK.name, "10.0", digest("d")), moved),
    )
    world.add(rebuild(targets=targets, replacements=replacements, **values), None, change(), sdk)


async def test_what_was_declined_stays_out_of_a_pull_request_for_more(world: World) -> None:
    pin_both(world)
    world.add(rebuild())
    await world.tick()
    world.shop.close(1)
    both(world, id=2, pull_request=1)
    await world.tick()
    assert world.store[2].state is RebuildState.OPEN
    assert world.store[2].reason.endswith("aspnet:10.0 is left alone, since #1 was closed")
    assert world.shop.content(BRANCH) == f"FROM {SDK}@{digest('e')}\nFROM {reference('a')}\n"
    assert "aspnet" not in world.shop.requests[2].title + world.shop.requests[2].body


async def test_a_part_of_what_was_declined_is_declined_too(world: World) -> None:
    pin_both(world)
    both(world)
    await world.tick()
    world.shop.close(1)
    world.add(rebuild(id=2))
    await world.tick()
    assert world.store[2].state is RebuildState.CANCELLED
    assert world.store[2].reason == "pull request #1 for these digests was closed by a maintainer"


async def test_a_pull_request_that_joins_more_takes_what_is_left_once_it_was_merged(world: World) -> None:
    pin_both(world)
    world.add(rebuild())
    await world.tick()
    world.shop.merge(1)
    both(world, id=2, pull_request=1)
    await world.tick()
    assert (world.store[2].state, world.store[2].pull_request) == (RebuildState.OPEN, 2)
    assert world.shop.content(BRANCH) == f"FROM {SDK}@{digest('e')}\nFROM {reference('b')}\n"


async def test_what_the_bot_closed_by_itself_is_no_decision_of_a_maintainer(world: World) -> None:
    """The base goes to b, back to a, and to b again."""
    world.add(rebuild())
    await world.tick()
    world.add(rebuild(id=2, to="a", pull_request=1), None, change("a"))
    await world.tick()
    assert world.store[2].state is RebuildState.SUCCEEDED
    assert not world.shop.requests[1].is_open
    assert (
        "**Closed by the bot:** the default branch already stands on the new base." in world.shop.requests[1].body
    )
    world.add(rebuild(id=3))
    await world.tick()
    assert (world.store[3].state, world.store[3].pull_request) == (RebuildState.OPEN, 2)


async def test_a_closed_pull_request_decides_nothing_about_later_digests(world: World) -> None:
    world.add(rebuild())
    await world.tick()
    world.shop.close(1)
    world.add(rebuild(id=2, to="c"), None, change("c"))
    await world.tick()
    assert (world.store[2].state, world.store[2].pull_request) == (RebuildState.OPEN, 2)
