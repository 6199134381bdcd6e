"""A newer digest for a pull request that is in a merge queue, which locks its branch."""

from dataclasses import replace
from typing import Any

from bot.domain.rollouts.policy import Policy, PolicyRule
from bot.domain.rollouts.rebuild import RebuildState
from bot.domain.rollouts.terms import AutoMerge, MergeMethod
from sandbox.world import World as Sandbox
from tests.integration.act.rebuilds import add, made
from tests.unit.fleet.act.world import BRANCH, World, reference


async def queued(sandbox: Sandbox, world: World, **terms: Any) -> str:
    """A repository whose pull request is in the queue of its default branch; its name."""
    home = await made(sandbox)
    sandbox.github.protect(home.name, checks=("build",), queue="SQUASH")
    world.options = replace(world.options, policy=Policy((PolicyRule(**terms),)))
    add(world, home)
    await world.tick()
    (request,) = await sandbox.github.pull_requests(home.name)
    sandbox.github.report_check(home.name, request["head"]["sha"], "build", "success")
    if terms:
        world.store.outdate(1)
        await world.later()
    else:
        await sandbox.github.enqueue(home.name, request["number"])
    assert sandbox.github.merging.queues[request["base"]["repo"]["id"]]
    return home.name


async def newer(world: World, name: str) -> None:
    home = world.store.jobs[1].member
    assert home.name == name
    add(world, home, 2, "c", pull_request=world.store[1].pull_request)
    await world.tick()


async def test_the_bot_takes_out_what_it_has_queued(shared_world: Sandbox, world: World) -> None:
    name = await queued(shared_world, world, auto_merge=AutoMerge(MergeMethod.SQUASH))
    await newer(world, name)
    assert world.store[2].state is RebuildState.OPEN
    assert await shared_world.github.read(name, "Dockerfile", BRANCH) == f"FROM {reference('c')}\n"
    number = shared_world.github.edge.identities.number_of(name) or 0
    assert not shared_world.github.merging.queues[number]


async def test_what_a_person_has_queued_merges_and_the_newer_digest_follows(
    shared_world: Sandbox, world: World
) -> None:
    name = await queued(shared_world, world)
    await newer(world, name)
    assert world.store[2].state is RebuildState.WAITING
    await shared_world.github.land_queue(name)
    assert await shared_world.github.read(name, "Dockerfile") == f"FROM {reference('b')}\n"
    await world.later()
    assert world.store[2].state is RebuildState.OPEN
    assert await shared_world.github.read(name, "Dockerfile", BRANCH) == f"FROM {reference('c')}\n"
