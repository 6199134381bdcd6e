"""What people say by labels, on whatever the pull request is in the middle of."""

from datetime import timedelta

import pytest

from bot.domain.rollouts.journal import HOLD, IGNORE
from bot.domain.rollouts.rebuild import RebuildState
from tests.unit.fleet.act.world import BRANCH, NOON, World, change, digest, rebuild


async def opened(world: World) -> None:
    world.add(rebuild())
    await world.tick()


async def test_one_that_is_held_is_not_closed_though_somebody_forestalled_it(world: World) -> None:
    await opened(world)
    world.shop.edit(1, labels=(HOLD,))
    world.shop.commit_to("main", {"Dockerfile": world.shop.content(BRANCH).encode()})
    world.store.outdate(1)
    await world.tick()
    assert world.shop.requests[1].is_open
    assert world.store[1].state is RebuildState.OPEN
    world.shop.edit(1, labels=())
    await world.later()
    assert (world.shop.requests[1].is_open, world.store[1].state) == (False, RebuildState.SUCCEEDED)


async def test_a_held_one_that_ends_is_followed_to_its_end(world: World) -> None:
    await opened(world)
    world.shop.edit(1, labels=(HOLD,))
    world.store.outdate(1)
    await world.tick()
    world.shop.merge(1)
    await world.later()
    assert world.store[1].text_version == world.store[1].facts_version


async def test_one_to_ignore_keeps_its_digests_so_that_closing_it_counts_as_a_no(world: World) -> None:
    await opened(world)
    world.shop.edit(1, labels=(IGNORE,))
    world.store.outdate(1)
    await world.tick()
    assert digest("b") in world.shop.requests[1].body
    assert world.shop.requests[1].body.endswith(
        "**Closed by the bot:** pull request #1 is labelled freshness:ignore.\n<!-- freshness-bot end -->"
    )
    world.shop.edit(1, labels=())
    world.add(rebuild(id=2))
    await world.tick()
    assert world.store[2].reason == "pull request #1 for these digests was closed by a maintainer"


@pytest.mark.parametrize("label", [HOLD, IGNORE])
async def test_a_merged_one_says_nothing_about_the_next(world: World, label: str) -> None:
    await opened(world)
    world.shop.edit(1, labels=(label,))
    world.shop.merge(1)
    world.add(rebuild(id=2, to="c"), None, change("c"))
    await world.tick()
    assert world.store[2].state is RebuildState.OPEN


@pytest.mark.parametrize(
    ("state", "ended"), [(RebuildState.OPEN, RebuildState.CANCELLED), (RebuildState.PLANNED, RebuildState.SKIPPED)]
)
async def test_what_a_person_wants_ignored_ends_as_what_was_cancelled_or_never_begun(
    world: World, state: RebuildState, ended: RebuildState
) -> None:
    await opened(world)
    world.shop.edit(1, labels=(IGNORE,))
    if state is RebuildState.OPEN:
        world.store.outdate(1)
    else:
        world.store.alter(1, rebuild=rebuild())
    await world.tick()
    assert (world.store[1].state, world.shop.requests[1].is_open) == (ended, False)
    assert world.store[1].reason == "pull request #1 is labelled freshness:ignore"


async def test_what_is_to_begin_with_one_that_is_held_waits_and_says_so(world: World) -> None:
    await opened(world)
    world.shop.edit(1, labels=(HOLD,))
    world.store.alter(1, rebuild=rebuild())
    await world.tick()
    assert (world.store[1].state, world.store[1].reason) == (
        RebuildState.WAITING,
        "pull request #1 is labelled freshness:hold",
    )


async def test_a_closed_one_that_is_to_be_held_says_nothing_and_one_to_be_ignored_does(world: World) -> None:
    await opened(world)
    world.shop.close(1)
    world.shop.edit(1, labels=(HOLD,))
    world.add(rebuild(id=2, to="c"), None, change("c"))
    await world.tick()
    assert (world.store[2].state, world.store[2].pull_request) == (RebuildState.OPEN, 2)
    world.shop.close(2)
    world.shop.edit(1, labels=(IGNORE,))
    world.add(rebuild(id=3, to="d"), None, change("d"))
    await world.tick()
    assert world.store[3].reason == "pull request #1 is labelled freshness:ignore"


@pytest.mark.parametrize("label", [HOLD, IGNORE])
async def test_what_a_person_says_of_one_that_is_not_open_any_more_writes_nothing(world: World, label: str) -> None:
    await opened(world)
    world.shop.close(1)
    world.shop.edit(1, labels=(label,))
    world.store.outdate(1)
    world.forge.calls.clear()
    await world.tick()
    assert world.forge.calls == []
    assert world.store[1].state is (RebuildState.OPEN if label is HOLD else RebuildState.CANCELLED)


async def test_one_that_is_held_is_looked_at_the_less_often_the_older_it_is(world: World) -> None:
    await opened(world)
    world.shop.edit(1, labels=(HOLD,))
    for age, rest in ((timedelta(0), world.options.follow_every), (timedelta(days=3), timedelta(hours=1))):
        world.clock.move_to(NOON + age)
        world.store.outdate(1)
        await world.tick()
        assert world.store[1].due_at == world.clock.now() + rest
