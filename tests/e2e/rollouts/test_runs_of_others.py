"""A push builds what a rebuild waits for, before that has begun."""

from datetime import timedelta

import pytest

from bot.commands.look.explanation import read_explanation
from bot.domain.evidence import ImageVerdict
from bot.domain.rollouts.rebuild import Joined, RebuildState
from sandbox.github.actions.runs import Run
from tests.e2e.publishing import move
from tests.e2e.sample import SETTLED
from tests.e2e.staging import Stage

NAME = "catalog-web"
PATH = ".github/workflows/weekly-rebuild.yml"


async def build_on_pushes(stage: Stage) -> None:
    world = stage.world
    text = await world.github.read(NAME, PATH)
    await world.github.push(NAME, {PATH: text.replace("on:\n", "on:\n  push:\n    branches: [main]\n", 1)})
    for run in world.github.runs(NAME):
        world.github.finish_run(run.id)
    await stage.run_pass()


async def moved_and_pushed(stage: Stage) -> None:
    await move(stage)
    await stage.world.github.push(NAME, {"README.md": "news\n"})
    build_of(stage).created_at = stage.clock.now() + timedelta(minutes=1)
    stage.clock.ahead += timedelta(hours=1, minutes=1)


PATIENT = SETTLED.under(policy=({"match": {}, "settle": "1h"},))
pushed = PATIENT.then(build_on_pushes).then(moved_and_pushed).fixture()
"""A base has moved and settles for an hour; meanwhile somebody pushes, which builds the image."""


def build_of(stage: Stage) -> Run:
    [run] = [run for run in stage.world.github.runs(NAME) if run.status != "completed"]
    return run


def dispatched(stage: Stage) -> int:
    return len([run for run in stage.world.github.runs(NAME) if run.event == "workflow_dispatch"])


async def test_it_is_followed_in_place_of_a_dispatch_and_proved(pushed: Stage) -> None:
    await pushed.run_pass()
    run = build_of(pushed)
    rebuild = (await pushed.rebuilds())[NAME]
    told = f"run {run.number} of {run.created_at:%H:%M} builds it already"
    assert (dispatched(pushed), rebuild.state, rebuild.run) == (0, RebuildState.DISPATCHED, run.id)
    explained = await read_explanation(pushed.bot.settings, f"contoso/{NAME}", pushed.clock)
    assert told in [each.reason for each in explained.rebuilds]
    pushed.world.github.finish_run(run.id)
    await pushed.run_pass()
    rebuild = (await pushed.rebuilds())[NAME]
    assert (rebuild.state, rebuild.proof) == (RebuildState.SUCCEEDED, ImageVerdict.PROVED)
    assert dispatched(pushed) == 0


@pytest.mark.long
async def test_one_that_builds_on_the_old_base_is_made_up_for_by_a_dispatch(pushed: Stage) -> None:
    await pushed.run_pass()
    pushed.fleet.cached.add(NAME)
    pushed.world.github.finish_run(build_of(pushed).id)
    await pushed.run_pass()
    await pushed.run_pass()
    assert (dispatched(pushed), (await pushed.rebuilds())[NAME].state) == (1, RebuildState.DISPATCHED)
    pushed.fleet.cached.clear()
    pushed.world.github.finish_run(build_of(pushed).id)
    await pushed.run_pass()
    assert (await pushed.rebuilds())[NAME].proof is ImageVerdict.PROVED


@pytest.mark.long
async def test_one_that_is_cancelled_for_the_next_is_followed_to_that(pushed: Stage) -> None:
    """As a concurrency group does with two pushes, one after the other."""
    await pushed.run_pass()
    first = build_of(pushed)
    await pushed.world.github.push(NAME, {"README.md": "more news\n"})
    pushed.world.github.finish_run(first.id, "cancelled")
    second = build_of(pushed)
    second.created_at = first.created_at + timedelta(minutes=2)
    await pushed.run_pass()
    rebuild = (await pushed.rebuilds())[NAME]
    assert (rebuild.run, rebuild.joined, dispatched(pushed)) == (second.id, Joined.FOLLOWED, 0)
    told = f"run {second.number} of {second.created_at:%H:%M} builds it already"
    assert rebuild.reason.startswith(f"a newer run took its place: {told}")
    pushed.world.github.finish_run(second.id)
    await pushed.run_pass()
    rebuild = (await pushed.rebuilds())[NAME]
    assert (rebuild.state, rebuild.proof, dispatched(pushed)) == (RebuildState.SUCCEEDED, ImageVerdict.PROVED, 0)


@pytest.mark.long
async def test_one_that_is_cancelled_for_nothing_is_made_up_for_by_a_dispatch(pushed: Stage) -> None:
    await pushed.run_pass()
    pushed.world.github.finish_run(build_of(pushed).id, "cancelled")
    for _ in ("it is gone", "another is begun"):
        await pushed.run_pass()
    assert (dispatched(pushed), (await pushed.rebuilds())[NAME].state) == (1, RebuildState.DISPATCHED)
    pushed.world.github.finish_run(build_of(pushed).id)
    await pushed.run_pass()
    assert (await pushed.rebuilds())[NAME].proof is ImageVerdict.PROVED
