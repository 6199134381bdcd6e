from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from bot.domain.builder.runs import Run
from bot.domain.failure import Failure, Trouble
from bot.domain.repositories.repository import Workflow
from bot.domain.rollouts.rebuild import Action, Merge, RebuildState
from tests.unit.fleet.act.world import NO_ANSWER, NOON, WEEKLY, World, member, rebuild


def dispatching(world: World, *workflows: Workflow, **values: Any) -> None:
    world.add(rebuild(Action.DISPATCH, **values), member(*(workflows or (WEEKLY,))))


async def test_a_dispatch_starts_one_run_and_follows_it(world: World) -> None:
    dispatching(world)
    await world.tick()
    after = world.store[1]
    assert (after.state, after.run, after.url) == (RebuildState.DISPATCHED, 100, "https://forge/run")
    assert world.shop.inputs[0]["correlation"] == after.correlation
    assert after.attempted_at == NOON


async def test_a_host_that_tells_no_run_is_asked_for_it(world: World) -> None:
    world.forge.tells_run = False
    dispatching(world)
    await world.tick()
    assert world.store[1].run == 100


@pytest.mark.parametrize("call", ["run", "dispatched_runs"])
async def test_a_run_that_does_not_show_yet_is_found_while_it_is_followed(world: World, call: str) -> None:
    world.forge.tells_run = call == "run"
    world.forge.failing[call] = NO_ANSWER
    dispatching(world)
    await world.tick()
    assert world.store[1].state is RebuildState.DISPATCHED
    assert world.store[1].run == (100 if call == "run" else None)
    assert world.forge.calls == ["dispatch"]


async def test_inputs_that_the_workflow_does_not_declare_are_never_sent(world: World) -> None:
    """GitHub answers 422 to them."""
    dispatching(world, Workflow(".github/workflows/weekly-rebuild.yml", ("bases", "environment")))
    await world.tick()
    assert list(world.shop.inputs[0]) == ["bases"]


async def test_a_workflow_that_is_gone_is_told(world: World) -> None:
    dispatching(world, Workflow(".github/workflows/other.yml"))
    await world.tick()
    assert world.store[1].state is RebuildState.SKIPPED
    assert "weekly-rebuild.yml is missing" in world.store[1].reason


MERGED = Merge("abc", "C_1", NOON - timedelta(days=1))


def repeating(world: World, *workflows: Workflow) -> None:
    """A dispatch that is to repeat the red build of a merged pull request."""
    dispatching(world, *workflows)
    world.store.repeated[1] = rebuild(
        id=7, state=RebuildState.FAILED, pull_request=3, merge=MERGED, built_by=(5,), url="https://forge/run/5"
    )


async def test_a_merged_build_that_the_bot_may_not_repeat_is_followed_for_who_does(world: World) -> None:
    repeating(world)
    world.forge.failing["dispatch"] = Failure(Trouble.DENIED, "refused", advice="grant actions: write")
    await world.tick()
    after = world.store[1]
    assert (after.state, after.merge) == (RebuildState.BUILDING, replace(MERGED, at=NOON))
    assert (after.action, after.pull_request, after.built_by) == (Action.PULL_REQUEST, 3, (5,))
    assert after.reason == (
        "weekly-rebuild.yml cannot be started by the bot, so run it again, or push: that is followed; "
        "refused; grant actions: write"
    )


async def test_it_is_tried_again_where_only_the_credentials_are_not_taken_at_present(world: World) -> None:
    repeating(world)
    world.forge.failing["dispatch"] = Failure(Trouble.DENIED, "Bad credentials", status=401)
    await world.tick()
    assert (world.store[1].state, world.store[1].action) == (RebuildState.WAITING, Action.DISPATCH)


async def test_so_is_one_whose_workflow_can_be_started_no_more(world: World) -> None:
    repeating(world, Workflow(".github/workflows/other.yml"))
    await world.tick()
    assert (world.store[1].state, world.store[1].url) == (RebuildState.BUILDING, "https://forge/run/5")


async def test_any_other_dispatch_that_is_refused_waits_for_the_right(world: World) -> None:
    dispatching(world)
    world.forge.failing["dispatch"] = Failure(Trouble.DENIED, "refused")
    await world.tick()
    assert world.store[1].state is RebuildState.WAITING


async def test_a_digest_that_was_quarantined_is_not_built_although_it_is_pinned(world: World) -> None:
    dispatching(world)
    world.store.alter(1, condemned="sha256:bad")
    await world.tick()
    assert (world.store[1].state, world.forge.calls) == (RebuildState.SKIPPED, [])
    assert "the default branch pins sha256:bad" in world.store[1].reason


async def test_a_default_branch_with_a_new_name_is_found_again(world: World) -> None:
    world.shop.rename_trunk("trunk")
    dispatching(world)
    await world.tick()
    assert (world.store[1].state, world.store[1].run) == (RebuildState.DISPATCHED, 100)


async def test_a_run_on_a_default_branch_with_a_new_name_is_found_after_a_crash(world: World) -> None:
    world.shop.rename_trunk("trunk")
    dispatching(world)
    world.forge.after["dispatch"] = NO_ANSWER
    await world.tick()
    await world.later()
    assert world.forge.calls == ["dispatch"]
    assert (world.store[1].state, world.store[1].run) == (RebuildState.DISPATCHED, 100)


async def test_an_earlier_failure_is_told_to_nobody_once_the_workflow_is_dispatched(world: World) -> None:
    dispatching(world)
    world.forge.failing["dispatch"] = NO_ANSWER
    await world.tick()
    world.forge.failing.clear()
    await world.later()
    assert world.shop.inputs[0]["reason"] == "aspnet:10.0 moved"
    assert world.store[1].reason == "aspnet:10.0 moved; weekly-rebuild.yml was dispatched"


async def test_the_intent_is_stored_before_the_request(world: World) -> None:
    dispatching(world)
    world.forge.after["dispatch"] = NO_ANSWER
    await world.tick()
    assert world.store[1].state is RebuildState.WAITING
    assert world.store[1].attempted_at == NOON
    assert world.store[1].correlation is not None


async def test_a_run_whose_answer_was_lost_is_adopted(world: World) -> None:
    dispatching(world)
    world.forge.after["dispatch"] = NO_ANSWER
    await world.tick()
    await world.later(1)
    assert (world.store[1].state, world.store[1].run) == (RebuildState.DISPATCHED, 100)
    assert world.forge.calls == ["dispatch"]


def shown(world: World, run: Run) -> None:
    """A run of its workflow that somebody has dispatched."""
    world.shop.show("weekly-rebuild.yml", replace(run, branch="main", event="workflow_dispatch"))


async def test_the_run_that_names_the_correlation_is_the_one(world: World) -> None:
    dispatching(world, attempted_at=NOON, correlation="freshness-abc")
    shown(world, Run(5, "", "queued", None, NOON, "by hand"))
    shown(world, Run(6, "", "queued", None, NOON, "rebuild freshness-abc"))
    await world.tick()
    assert world.store[1].run == 6


async def test_a_run_of_another_rebuild_is_not_adopted(world: World) -> None:
    dispatching(world, attempted_at=NOON, correlation="freshness-abc")
    shown(world, Run(5, "", "queued", None, NOON, "rebuild"))
    world.store.taken = {5}
    await world.tick()
    assert world.store[1].state is RebuildState.WAITING
    assert world.forge.calls == []


async def looked_at_until(world: World, minutes: float) -> list[float]:
    """Ticks whenever the rebuild is due; when that was, in minutes."""
    moments = []
    while not world.store[1].state.has_ended and world.store[1].state.awaits_action:
        due = max(world.store[1].due_at, world.clock.now())
        if due > NOON + timedelta(minutes=minutes):
            break
        world.clock.move_to(due)
        moments.append((due - NOON).total_seconds() / 60)
        await world.tick()
    return moments


async def test_a_lost_answer_is_looked_for_at_growing_rests_before_another_request(world: World) -> None:
    dispatching(world)
    world.forge.failing["dispatch"] = NO_ANSWER
    await world.tick()
    world.forge.failing.clear()
    moments = await looked_at_until(world, 59)
    rests = [later - sooner for sooner, later in pairwise(moments)]
    assert rests == sorted(rests)
    assert len(moments) < 10
    assert world.forge.calls == []
    await looked_at_until(world, 61)
    assert (world.store[1].state, world.forge.calls) == (RebuildState.DISPATCHED, ["dispatch"])


async def without_answers(world: World, until: timedelta) -> None:
    """Every answer to a dispatch is lost."""
    for _ in range(100):
        world.forge.after["dispatch"] = NO_ANSWER
        await world.tick()
        if world.store[1].state is RebuildState.DISPATCHED or world.store[1].due_at > NOON + until:
            break
        world.clock.move_to(max(world.store[1].due_at, world.clock.now()))


async def test_runs_that_appear_late_are_never_more_than_two_and_the_first_is_taken(world: World) -> None:
    """A run shows only after eight hours."""
    dispatching(world)
    world.forge.runs_show_after = timedelta(hours=8)
    await without_answers(world, timedelta(days=3))
    assert world.forge.calls == ["dispatch"] * 2
    assert (world.store[1].state, world.store[1].run) == (RebuildState.DISPATCHED, 100)
    assert world.clock.now() - NOON < timedelta(hours=17)


async def test_what_never_brings_a_run_is_asked_for_once_a_day_for_as_long_as_it_takes(world: World) -> None:
    dispatching(world)
    world.forge.runs_show_after = timedelta(days=365)
    await without_answers(world, timedelta(days=5))
    assert world.forge.calls == ["dispatch"] * 6
    assert world.store[1].state is RebuildState.WAITING
    assert world.store[1].reason.startswith(
        "weekly-rebuild.yml was dispatched 6 times without an answer, and no run appeared"
    )


async def test_a_forge_that_is_not_ready_has_started_nothing(world: World) -> None:
    """503 for two hours: asked for again at the usual rests, with nothing to look for."""
    dispatching(world)
    world.forge.failing["dispatch"] = Failure(Trouble.UNREACHABLE, "HTTP 503", status=503)
    while world.clock.now() < NOON + timedelta(hours=2):
        await world.tick()
        assert world.store[1].attempted_at is None
        world.clock.move_to(world.store[1].due_at)
    world.forge.failing.clear()
    await world.tick()
    assert (world.store[1].state, world.forge.calls) == (RebuildState.DISPATCHED, ["dispatch"])


async def test_a_run_that_appears_late_is_adopted_though_another_was_asked_for(world: World) -> None:
    dispatching(world)
    world.forge.runs_show_after = timedelta(minutes=90)
    world.forge.after["dispatch"] = NO_ANSWER
    await world.tick()
    await looked_at_until(world, 59)
    world.forge.after["dispatch"] = NO_ANSWER
    await looked_at_until(world, 115)
    assert world.forge.calls == ["dispatch"] * 2
    assert (world.store[1].state, world.store[1].run) == (RebuildState.DISPATCHED, 100)


async def test_a_dispatch_is_one_write(world: World) -> None:
    dispatching(world)
    await world.tick()
    assert [call for call, _ in world.forge.asked] == ["standings", "dispatch", "run"]


async def test_missing_rights_are_waited_for_two_days(world: World) -> None:
    dispatching(world)
    world.forge.failing["dispatch"] = Failure(Trouble.DENIED, "refused")
    await world.until_it_ends()
    assert world.store[1].state is RebuildState.SKIPPED
    assert world.store.to_read_within_a_day == {7}
    assert timedelta(hours=48) < world.clock.now() - NOON < timedelta(hours=49)


async def test_a_dispatch_that_stays_refused_fails_after_three_attempts(world: World) -> None:
    dispatching(world)
    world.forge.failing["dispatch"] = Failure(Trouble.CONFLICT, "refused")
    for _ in range(3):
        assert not world.store[1].state.has_ended
        await world.later()
    assert world.store[1].state is RebuildState.FAILED
    assert world.store[1].reason == "refused (tried 3 times)"


async def test_a_refused_request_leaves_no_intent_behind(world: World) -> None:
    dispatching(world)
    world.forge.failing["dispatch"] = Failure(Trouble.CONFLICT, "refused")
    await world.tick()
    assert world.store[1].attempted_at is None


async def test_nothing_is_sent_once_the_lease_is_lost(world: World) -> None:
    dispatching(world)
    world.store.stolen = {1}
    await world.tick()
    assert world.forge.calls == []
    assert world.store[1] == replace(rebuild(Action.DISPATCH), attempts=1)


async def test_a_run_that_was_asked_for_under_the_old_name_of_a_branch_is_found_there(world: World) -> None:
    dispatching(world)
    world.forge.after["dispatch"] = NO_ANSWER
    await world.tick()
    world.shop.rename_trunk("trunk")
    await world.later(1)
    assert world.forge.calls == ["dispatch"]
    assert (world.store[1].state, world.store[1].run) == (RebuildState.DISPATCHED, 100)


async def test_what_never_brought_a_run_says_when_it_is_asked_for_again(world: World) -> None:
    dispatching(world, attempted_at=NOON - timedelta(hours=2), dispatches=2, correlation="freshness-abc")
    await world.tick()
    assert world.store[1].reason == (
        "weekly-rebuild.yml was dispatched 2 times without an answer, and no run appeared; "
        "it is looked for, and asked for again once a day"
    )


async def test_a_run_of_which_no_more_is_told_is_followed_by_its_number(world: World) -> None:
    world.forge.failing["run"] = NO_ANSWER
    dispatching(world)
    await world.tick()
    after = world.store[1]
    assert (after.run, after.node_id, after.due_at) == (100, None, NOON + world.options.follow_every)


async def test_a_dispatch_tells_the_workflow_what_moved_and_why(world: World) -> None:
    inputs = ("correlation", "reason", "bases")
    dispatching(world, Workflow(".github/workflows/weekly-rebuild.yml", inputs))
    await world.tick()
    after = world.store[1]
    target = after.targets[0]
    assert world.shop.inputs[0] == {
        "correlation": after.correlation,
        "reason": after.reason,
        "bases": f"{target.base}@{target.to_digest}",
    }
    assert after.reason == "aspnet:10.0 moved; 10.0 is pinned by digest"


async def test_a_dispatch_for_several_bases_tells_the_workflow_each_of_them(world: World) -> None:
    first = rebuild().targets[0]
    targets = (first, replace(first, base=replace(first.base, repository="dotnet/sdk")))
    dispatching(world, Workflow(".github/workflows/weekly-rebuild.yml", ("bases",)), targets=targets)
    await world.tick()
    assert world.shop.inputs[0]["bases"].split(" ") == [f"{each.base}@{each.to_digest}" for each in targets]


@pytest.mark.parametrize("trouble", [Trouble.CONFLICT, Trouble.UNREACHABLE], ids=str)
async def test_a_build_that_cannot_be_repeated_at_present_is_asked_for_again(
    world: World, trouble: Trouble
) -> None:
    repeating(world)
    world.forge.failing["dispatch"] = Failure(trouble, "not now")
    await world.tick()
    assert (world.store[1].state, world.store[1].action) == (RebuildState.WAITING, Action.DISPATCH)


async def test_a_build_that_people_may_repeat_is_followed_with_all_that_is_known_of_it(world: World) -> None:
    repeating(world)
    began = NOON - timedelta(hours=3)
    world.store.repeated[1] = replace(
        world.store.repeated[1], branch="freshness/x", workflow="build.yml", attempted_at=began
    )
    world.forge.failing["dispatch"] = Failure(Trouble.DENIED, "refused")
    await world.tick()
    after = world.store[1]
    assert (after.branch, after.workflow, after.attempted_at) == ("freshness/x", "build.yml", began)
    assert (after.url, after.due_at) == ("https://forge/run/5", NOON + world.options.follow_every)


async def test_what_repeats_a_build_that_nobody_has_merged_waits_for_the_right(world: World) -> None:
    repeating(world)
    world.store.repeated[1] = replace(world.store.repeated[1], merge=None)
    world.forge.failing["dispatch"] = Failure(Trouble.DENIED, "refused")
    await world.tick()
    after = world.store[1]
    assert (after.state, after.action, after.reason) == (RebuildState.WAITING, Action.DISPATCH, "refused")


async def test_a_dispatched_run_is_looked_at_together_with_others_when_it_is_time(world: World) -> None:
    dispatching(world)
    await world.tick()
    assert (world.store[1].node_id, world.store[1].due_at) == ("CS_100", NOON + world.options.follow_every)


async def test_an_open_pull_request_for_the_same_bases_gives_way_to_a_dispatch(world: World) -> None:
    dispatching(world)
    world.add(rebuild(id=2, state=RebuildState.OPEN, pull_request=1, due_at=NOON + timedelta(hours=1)))
    await world.tick()
    successor = world.store.jobs[2].replaced_by
    assert successor is not None
    assert successor.action is Action.DISPATCH
