"""Whether a branch must move, and whether it comes with its commit in one push."""

from dataclasses import replace

import pytest

from bot.domain.forge.branches import FileChange, scratch_of
from bot.domain.forge.looks import BranchLook
from bot.domain.rollouts.rebuild import RebuildState
from bot.fleet.act.ports import Job
from bot.fleet.act.pull_request.attempt import Edits
from bot.fleet.act.pull_request.bringing import branch_change
from tests.unit.fleet.act.world import BRANCH, World, change, member, rebuild, reference

EDITS = Edits((FileChange("Dockerfile", f"FROM {reference('b')}\n".encode()),))


def job() -> Job:
    return Job(rebuild(), member(), "main", (change(),), ("Dockerfile",))


async def seen(world: World, *workflows: str | None) -> BranchLook:
    look = await world.forge.look(world.shop.identity, BRANCH, ("Dockerfile",))
    return replace(look, workflows=workflows)


def on(branch: str) -> str:
    return f"on: {{push: {{branches: ['{branch}']}}}}\njobs: {{}}\n"


@pytest.mark.parametrize(
    ("workflows", "is_whole"),
    [
        ((), False),
        (("on: schedule\njobs: {}\n",), False),
        ((on("main"),), False),
        ((on(BRANCH),), True),
        ((on(scratch_of(BRANCH)),), True),
        ((on("main"), on("freshness/**")), True),
        ((None,), True),
    ],
)
async def test_it_is_pushed_as_a_whole_where_workflows_run_on_pushes_to_it_or_beside_it(
    world: World, workflows: tuple[str | None, ...], is_whole: bool
) -> None:
    found = branch_change(job(), await seen(world, *workflows), EDITS, None)
    assert found is not None
    assert found.is_pushed_whole is is_whole


async def test_a_branch_that_is_not_there_begins_on_the_default_branch(world: World) -> None:
    look = await seen(world)
    found = branch_change(job(), look, EDITS, None)
    assert found is not None
    assert look.trunk is not None
    assert (found.branch, found.before, found.onto, found.onto_tree, found.files) == (
        BRANCH,
        None,
        look.trunk.sha,
        look.trunk.tree,
        EDITS.files,
    )


@pytest.mark.parametrize("how", ["it stands where that does", "its pull request was merged"])
async def test_a_branch_that_holds_nothing_begins_there_anew(world: World, how: str) -> None:
    if how == "its pull request was merged":
        world.add(rebuild())
        await world.tick()
        world.shop.edit(1, is_open=False, is_merged=True)
    else:
        world.shop.branches[BRANCH] = world.shop.branches["main"]
    look = await seen(world)
    if look.pull_requests:
        assert look.branch is not None
        look = replace(look, pull_requests=(replace(look.pull_requests[0], head=look.branch.sha),))
    found = branch_change(job(), look, EDITS, EDITS)
    assert found is not None
    assert look.trunk is not None
    assert (found.before, found.onto) == (world.shop.branches[BRANCH], look.trunk.sha)


async def test_on_peoples_commits_only_what_still_lacks_is_put(world: World) -> None:
    head = world.shop.commit_to(BRANCH, {"fix.md": b"by hand"})
    look = await seen(world)
    found = branch_change(job(), look, EDITS, EDITS)
    assert found is not None
    assert (found.before, found.onto) == (head, head)
    assert "Freshness-Base: " not in found.message
    assert branch_change(job(), look, EDITS, Edits()) is None


async def test_the_bots_own_commit_stands_where_it_holds_all_that_is_wanted(world: World) -> None:
    world.add(rebuild())
    await world.tick()
    look = await seen(world)
    assert branch_change(job(), look, EDITS, Edits()) is None
    conflicted = replace(look, pull_requests=(replace(look.pull_requests[0], is_conflicted=True),))
    assert branch_change(job(), conflicted, EDITS, Edits()) is not None
    closed = replace(look, pull_requests=(replace(look.pull_requests[0], is_conflicted=True, is_open=False),))
    assert branch_change(job(), closed, EDITS, Edits()) is None
    more = replace(EDITS, files=(*EDITS.files, FileChange("web/Dockerfile", b"FROM b\n")))
    assert branch_change(job(), look, more, Edits()) is not None
    other = replace(EDITS, files=(FileChange("Dockerfile", b"FROM c\nUSER app\n"),))
    assert branch_change(job(), look, other, Edits()) is None, "the merge joins both"
    assert branch_change(job(), look, other, other) is not None
    newer = replace(job(), rebuild=rebuild(to="c"))
    assert branch_change(newer, look, other, Edits()) is not None


async def test_a_branch_without_a_commit_of_its_own_gets_one_that_the_bot_knows_again(world: World) -> None:
    world.shop.branches[BRANCH] = world.shop.branches["main"]
    world.add(rebuild())
    await world.tick()
    assert "Freshness-Base: " in world.shop.commits[world.shop.branches[BRANCH]].message


async def test_a_branch_that_holds_all_edits_stays_though_a_base_joins_that_no_file_names(world: World) -> None:
    world.add(rebuild())
    await world.tick()
    head, target = world.shop.branches[BRANCH], rebuild().targets[0]
    joined = replace(target, base=replace(target.base, repository="dotnet/sdk"))
    world.add(rebuild(id=2, pull_request=1, targets=(target, joined)))
    await world.tick()
    assert (world.store[2].state, world.shop.branches[BRANCH]) == (RebuildState.OPEN, head)
