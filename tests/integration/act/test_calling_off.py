"""What was called off, asked of GitHub as the sandbox plays it."""

from dataclasses import dataclass, replace
from datetime import timedelta

from bot.domain.rollouts.policy import Policy, PolicyRule
from bot.domain.rollouts.rebuild import Rebuild, RebuildState
from bot.domain.rollouts.terms import AutoMerge, MergeMethod
from bot.fleet.act.calling_off import tick as calling_off
from bot.fleet.act.calling_off.tick import CalledOff
from bot.fleet.act.ports import ActOptions
from bot.reconcile.loop import Loop
from sandbox.world import World as Sandbox
from tests.fakes.queue import FakeQueue, Row
from tests.integration.act.rebuilds import add, asked, made
from tests.unit.fleet.act.world import World

WORD = "cancelled by Ann: it is not needed"


@dataclass(slots=True)
class Rows:
    """One rebuild that was called off."""

    called_off: FakeQueue[CalledOff]

    async def settle_rebuild(self, before: Rebuild, after: Rebuild, *, succeeded: bool = True) -> None:
        self.called_off.settle(1, after.due_at, CalledOff(after, WORD))


def _has_not_ended(row: Row[CalledOff]) -> bool:
    return isinstance(row.item, CalledOff) and not row.item.rebuild.state.has_ended


async def merging(sandbox: Sandbox, world: World, queue: str | None = None) -> str:
    """A repository whose pull request the bot has set to merge by itself, or into its queue; its name."""
    home = await made(sandbox)
    if queue is None:
        await sandbox.github.ask("PATCH", f"/repos/{home.name}", {"allow_auto_merge": True})
    sandbox.github.protect(home.name, checks=("build",), queue=queue)
    world.options = replace(world.options, policy=Policy((PolicyRule(auto_merge=AutoMerge(MergeMethod.SQUASH)),)))
    add(world, home)
    await world.tick()
    if queue is not None:
        (request,) = await sandbox.github.pull_requests(home.name)
        sandbox.github.report_check(home.name, request["head"]["sha"], "build", "success")
        world.store.outdate(1)
        await world.later()
        assert sandbox.github.merging.queues[request["base"]["repo"]["id"]]
    sandbox.traffic.forget()
    return home.name


async def called_off(world: World) -> Rows:
    now = world.clock.now()
    rows = Rows(FakeQueue(is_wanted=_has_not_ended))
    rows.called_off.add(CalledOff(replace(world.store[1], due_at=now), WORD), now)
    await tick(world, rows)
    return rows


async def tick(world: World, rows: Rows) -> Rebuild:
    await calling_off.tick(rows, world.forge, ActOptions(), Loop(world.clock))
    return rows.called_off[1].rebuild


async def test_it_costs_a_look_and_a_write(shared_world: Sandbox, world: World) -> None:
    name = await merging(shared_world, world)
    after = (await called_off(world)).called_off[1].rebuild
    assert (after.state, len(asked(shared_world))) == (RebuildState.CANCELLED, 2)
    assert await shared_world.github.pull_requests(name) == []


async def test_what_is_in_a_queue_is_closed_there(shared_world: Sandbox, world: World) -> None:
    name = await merging(shared_world, world, "SQUASH")
    assert (await called_off(world)).called_off[1].rebuild.state is RebuildState.CANCELLED
    assert await shared_world.github.pull_requests(name) == []


async def test_pointed_elsewhere_it_stays_and_merges_no_more(shared_world: Sandbox, world: World) -> None:
    name = await merging(shared_world, world)
    number = world.store[1].pull_request
    head = await shared_world.github.head(name)
    await shared_world.github.ask("POST", f"/repos/{name}/git/refs", {"ref": "refs/heads/release", "sha": head})
    await shared_world.github.ask("PATCH", f"/repos/{name}/pulls/{number}", {"base": "release"})
    after = (await called_off(world)).called_off[1].rebuild
    (request,) = await shared_world.github.pull_requests(name)
    assert (request["base"]["ref"], request["auto_merge"], after.state) == ("release", None, RebuildState.CANCELLED)


async def test_without_the_right_it_is_not_done_and_told_until_the_right_is_there(
    shared_world: Sandbox, world: World
) -> None:
    name = await merging(shared_world, world)
    shared_world.github.restrict_token(metadata="read", contents="write", pull_requests="read")
    try:
        rows = await called_off(world)
        refused = rows.called_off[1].rebuild
        assert (refused.state, len(await shared_world.github.pull_requests(name))) == (RebuildState.OPEN, 1)
        assert refused.reason.startswith(f"pull request #{refused.pull_request} goes on to merge by itself (")
    finally:
        shared_world.github.restrict_token()
    world.clock.advance(timedelta(hours=1))
    assert (await tick(world, rows)).state is RebuildState.CANCELLED
    assert await shared_world.github.pull_requests(name) == []
