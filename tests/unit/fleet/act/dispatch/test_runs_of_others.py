"""A run that others have started is followed in place of a dispatch where it builds all that is wanted."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.domain.builder.runs import Run
from bot.domain.failure import Failure, Trouble
from bot.domain.rollouts.rebuild import Action, Joined, RebuildState
from tests.unit.fleet.act.world import ASPNET, NOON, WEEKLY, World, member, rebuild

SHOWN = NOON - timedelta(minutes=30)


def dispatching(world: World, **values: Any) -> None:
    world.add(rebuild(Action.DISPATCH, **values), member(WEEKLY))
    world.store.alter(1, shown_since={ASPNET: SHOWN}, is_provable=True)


def pushed(world: World, started: datetime = SHOWN + timedelta(minutes=10), **values: Any) -> Run:
    """A run that a push to the default branch has started."""
    known: dict[str, Any] = {
        "status": "in_progress",
        "conclusion": None,
        "created_at": started,
        "node_id": "CS_5",
        "number": 412,
    }
    head = world.shop.branches[world.shop.trunk]
    known |= {"id": 5, "url": "https://forge/5", "commit": head, "event": "push", "branch": "main"}
    run = Run(**known | values)
    world.shop.show("weekly-rebuild.yml", run)
    return run


async def test_a_build_that_began_after_the_base_was_shown_is_followed_and_none_dispatched(world: World) -> None:
    dispatching(world)
    pushed(world)
    await world.tick()
    after = world.store[1]
    assert world.forge.calls == []
    assert (after.state, after.reason) == (RebuildState.DISPATCHED, "run 412 of 11:40 builds it already")
    assert (after.run, after.node_id, after.url) == (5, "CS_5", "https://forge/5")
    assert (after.attempted_at, after.joined) == (SHOWN + timedelta(minutes=10), Joined.FOLLOWED)
    assert after.due_at == NOON + world.options.follow_every


@pytest.mark.parametrize("status", ["queued", "requested", "waiting", "pending"])
async def test_a_build_that_has_not_begun_its_work_is_under_way_too(world: World, status: str) -> None:
    dispatching(world)
    pushed(world, status=status)
    await world.tick()
    assert (world.forge.calls, world.store[1].run) == ([], 5)


@pytest.mark.parametrize(
    "values",
    [
        {"started": SHOWN - timedelta(minutes=1)},
        {"started": SHOWN},
        {"commit": "0" * 40},
        {"status": "completed", "conclusion": "success"},
        {"event": "pull_request"},
        {"event": "merge_group"},
        {"created_at": None},
    ],
    ids=str,
)
async def test_a_run_that_may_not_bring_it_changes_nothing(world: World, values: dict[str, Any]) -> None:
    dispatching(world)
    pushed(world, **values)
    await world.tick()
    assert world.forge.calls == ["dispatch"]
    assert (world.store[1].run, world.store[1].joined) == (101, None)


async def test_every_base_must_have_been_shown_before(world: World) -> None:
    other = replace(ASPNET, repository="dotnet/runtime")
    target = rebuild().targets[0]
    dispatching(world, targets=(target, replace(target, base=other)))
    world.store.alter(1, shown_since={ASPNET: SHOWN, other: SHOWN + timedelta(minutes=20)})
    pushed(world)
    await world.tick()
    assert world.forge.calls == ["dispatch"]


async def test_a_base_that_shows_something_else_by_now_is_built_by_no_run_for_certain(world: World) -> None:
    dispatching(world)
    world.store.alter(1, shown_since={})
    pushed(world)
    await world.tick()
    assert world.forge.calls == ["dispatch"]
    assert "started_runs" not in [call for call, _ in world.forge.asked]


async def test_a_build_that_no_image_can_show_is_not_followed(world: World) -> None:
    """It would end unproven, and nobody would build what is wanted."""
    dispatching(world)
    world.store.alter(1, is_provable=False)
    pushed(world)
    await world.tick()
    assert world.forge.calls == ["dispatch"]
    assert "started_runs" not in [call for call, _ in world.forge.asked]


async def test_looking_costs_one_request_for_each_dispatch(world: World) -> None:
    dispatching(world)
    await world.tick()
    assert [call for call, _ in world.forge.asked] == ["standings", "started_runs", "dispatch", "run"]


async def test_a_pull_request_looks_for_no_run(world: World) -> None:
    world.add(rebuild())
    world.store.alter(1, shown_since={ASPNET: SHOWN}, is_provable=True)
    pushed(world)
    await world.tick()
    assert world.store[1].state is RebuildState.OPEN
    assert "started_runs" not in [call for call, _ in world.forge.asked]


async def test_what_may_have_been_dispatched_already_is_looked_for_alone(world: World) -> None:
    dispatching(world, attempted_at=NOON, correlation="freshness-abc", dispatches=1)
    pushed(world)
    await world.tick()
    assert (world.store[1].state, world.store[1].run) == (RebuildState.WAITING, None)
    assert "started_runs" not in [call for call, _ in world.forge.asked]


async def test_after_a_build_in_vain_nothing_of_others_is_followed(world: World) -> None:
    dispatching(world, joined=Joined.IN_VAIN)
    pushed(world)
    await world.tick()
    assert world.forge.calls == ["dispatch"]


async def test_a_forge_that_does_not_tell_its_runs_starts_none(world: World) -> None:
    """It would be a second one where another is under way; the next attempt asks again."""
    dispatching(world)
    pushed(world)
    world.forge.failing["started_runs"] = Failure(Trouble.UNREACHABLE, "no answer")
    await world.tick()
    assert (world.forge.calls, world.store[1].state) == ([], RebuildState.WAITING)
    world.forge.failing.clear()
    await world.later()
    assert (world.forge.calls, world.store[1].run) == ([], 5)


async def test_whoever_has_lost_the_rebuild_stores_nothing_and_the_next_follows_the_same_run(world: World) -> None:
    dispatching(world)
    pushed(world)
    world.store.stolen = {1}
    await world.tick()
    assert (world.store[1].state, world.store[1].run, world.store[1].attempted_at) == (
        RebuildState.PLANNED,
        None,
        None,
    )
    world.store.stolen = set()
    await world.later()
    assert (world.store[1].run, world.forge.calls) == (5, [])


async def test_what_is_under_way_in_a_repository_that_opted_out_is_left_alone(world: World) -> None:
    dispatching(world)
    world.asks("enabled: false")
    pushed(world)
    await world.tick()
    assert world.store[1].state is RebuildState.SKIPPED


async def test_an_open_pull_request_for_the_same_gives_way_as_to_a_dispatch(world: World) -> None:
    dispatching(world)
    world.add(rebuild(id=2, state=RebuildState.OPEN, pull_request=1, due_at=NOON + timedelta(hours=1)))
    pushed(world)
    await world.tick()
    successor = world.store.jobs[2].replaced_by
    assert successor is not None
    assert successor.action is Action.DISPATCH


async def test_what_names_no_base_follows_no_run(world: World) -> None:
    dispatching(world, targets=())
    pushed(world)
    await world.tick()
    assert world.forge.calls == ["dispatch"]
    assert "started_runs" not in [call for call, _ in world.forge.asked]


async def test_in_a_repository_that_shows_no_commit_no_run_is_on_it(world: World) -> None:
    dispatching(world)
    pushed(world, commit=None)
    world.shop.branches.clear()
    await world.tick()
    assert (world.forge.calls, world.store[1].joined) == (["dispatch"], None)


async def test_what_was_dispatched_in_vain_is_asked_for_again_and_follows_nothing_of_others(world: World) -> None:
    dispatching(world, attempted_at=NOON - timedelta(hours=2), correlation="freshness-abc", dispatches=1)
    pushed(world)
    await world.tick()
    assert (world.forge.calls, world.store[1].joined) == (["dispatch"], None)
