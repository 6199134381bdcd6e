"""What the work on rebuilds costs at GitHub, counted where the requests arrive."""

import pytest

from bot.domain.rollouts.rebuild import Action, RebuildState
from bot.fleet.act.pull_request.text.section import section_in
from sandbox.world import World as Sandbox
from tests.integration.act.rebuilds import add, asked, made
from tests.unit.fleet.act.world import BRANCH, World, change, reference


async def test_a_new_pull_request_costs_three_requests(shared_world: Sandbox, world: World) -> None:
    home = await made(shared_world)
    add(world, home)
    await world.tick()
    assert world.store[1].state is RebuildState.OPEN
    assert len(asked(shared_world)) == 3
    (shown,) = await shared_world.github.pull_requests(home.name)
    assert [label["name"] for label in shown["labels"]] == ["freshness"]
    assert await shared_world.github.read(home.name, "Dockerfile", BRANCH) == f"FROM {reference('b')}\n"


async def test_labels_and_reviewers_are_one_request(shared_world: Sandbox, world: World) -> None:
    home = await made(shared_world, asks="owners: [operator]\n")
    add(world, home)
    await world.tick()
    assert world.store[1].reason == "aspnet:10.0 moved; 10.0 is pinned by digest"
    assert len(asked(shared_world)) == 3
    (shown,) = await shared_world.github.pull_requests(home.name)
    assert [person["login"] for person in shown["requested_reviewers"]] == ["operator"]


async def test_they_are_one_more_where_the_repository_lacks_the_label(shared_world: Sandbox, world: World) -> None:
    home = await made(shared_world, asks="owners: [operator]\n", knows_label=False)
    add(world, home)
    await world.tick()
    assert len(asked(shared_world)) == 4
    (shown,) = await shared_world.github.pull_requests(home.name)
    assert [label["name"] for label in shown["labels"]] == ["freshness"]


async def test_a_reviewer_whom_nobody_knows_keeps_no_other_from_being_asked(
    shared_world: Sandbox, world: World
) -> None:
    home = await made(shared_world, asks="owners: [nobody-of-that-name, operator]\n")
    add(world, home)
    await world.tick()
    assert world.store[1].reason.endswith("no review asked of nobody-of-that-name: nobody of that name is known")
    (shown,) = await shared_world.github.pull_requests(home.name)
    assert [person["login"] for person in shown["requested_reviewers"]] == ["operator"]


async def test_it_costs_two_more_where_a_file_is_executable(shared_world: Sandbox, world: World) -> None:
    add(world, await made(shared_world, executable=("Dockerfile",)))
    await world.tick()
    assert world.store[1].state is RebuildState.OPEN
    assert len(asked(shared_world)) == 5


ON_PUSH = "on: [push, workflow_dispatch]\njobs: {}\n"


async def test_where_workflows_run_on_pushes_it_costs_two_more_and_none_runs_on_unchanged_code(
    shared_world: Sandbox, world: World
) -> None:
    home = await made(shared_world, workflow=ON_PUSH)
    add(world, home)
    await world.tick()
    assert world.store[1].state is RebuildState.OPEN
    assert len(asked(shared_world)) == 5
    head = await shared_world.github.head(home.name, BRANCH)
    assert [(run.event, run.sha) for run in shared_world.github.runs(home.name)] == [("push", head)]
    assert await shared_world.github.read(home.name, "Dockerfile", BRANCH) == f"FROM {reference('b')}\n"


async def test_another_digest_comes_with_one_push_as_well(shared_world: Sandbox, world: World) -> None:
    home = await made(shared_world, workflow=ON_PUSH)
    add(world, home)
    await world.tick()
    await shared_world.github.push(home.name, {"README.md": "more\n"})
    shared_world.traffic.forget()
    shared_world.github.actions.forget(home.name)
    add(world, home, 2, "c", pull_request=world.store[1].pull_request)
    await world.tick()
    assert world.store[2].state is RebuildState.OPEN
    assert len(asked(shared_world)) == 5
    head = await shared_world.github.head(home.name, BRANCH)
    assert [(run.event, run.sha) for run in shared_world.github.runs(home.name)] == [("push", head)]


async def test_a_token_whose_commits_must_be_signed_makes_its_branch_first_all_the_same(
    shared_world: Sandbox, world: World
) -> None:
    """GitHub signs for a token only what it commits by GraphQL, and that onto a branch."""
    home = await made(shared_world, workflow=ON_PUSH)
    await shared_world.github.sign(home.name)
    shared_world.github.forbid(home.name, "freshness/*", "required_signatures")
    add(world, home)
    await world.tick()
    assert world.store[1].state is RebuildState.OPEN
    assert len(asked(shared_world)) == 3


@pytest.mark.parametrize("goes_on", [False, True], ids=["as it was", "the default branch goes on"])
async def test_another_digest_costs_four_requests(shared_world: Sandbox, world: World, goes_on: bool) -> None:
    home = await made(shared_world)
    add(world, home)
    await world.tick()
    if goes_on:
        await shared_world.github.push(home.name, {"README.md": "more\n"})
    shared_world.traffic.forget()
    add(world, home, 2, "c", pull_request=world.store[1].pull_request)
    await world.tick()
    assert world.store[2].state is RebuildState.OPEN
    assert len(asked(shared_world)) == 4
    (shown,) = await shared_world.github.pull_requests(home.name)
    assert reference("c").digest in shown["body"]
    assert await shared_world.github.read(home.name, "Dockerfile", BRANCH) == f"FROM {reference('c')}\n"
    assert (await shared_world.github.branches(home.name)).keys() == {"main", BRANCH}


async def test_new_wording_costs_two_requests(shared_world: Sandbox, world: World) -> None:
    home = await made(shared_world)
    add(world, home)
    await world.tick()
    shared_world.traffic.forget()
    world.store.outdate(1)
    world.store.alter(1, changes=(change(cves=("CVE-2026-1",)),))
    await world.later()
    assert len(asked(shared_world)) == 2


async def test_nothing_new_costs_one_look(shared_world: Sandbox, world: World) -> None:
    add(world, await made(shared_world))
    await world.tick()
    shared_world.traffic.forget()
    world.store.outdate(1)
    await world.later()
    assert len(asked(shared_world)) == 1


async def test_a_dispatch_is_one_write(shared_world: Sandbox, world: World) -> None:
    home = await made(shared_world)
    add(world, home, action=Action.DISPATCH, branch=None, workflow="go.yml")
    await world.tick()
    assert world.store[1].state is RebuildState.DISPATCHED
    assert [entry.method for entry in asked(shared_world) if not entry.path.endswith("/graphql")] == ["POST", "GET"]
    assert len(asked(shared_world)) == 3


async def test_fifty_dispatches_share_one_look(shared_world: Sandbox, world: World) -> None:
    for number in range(1, 13):
        home = await made(shared_world)
        add(world, home, number, action=Action.DISPATCH, branch=None, workflow="go.yml")
    shared_world.traffic.forget()
    await world.tick()
    assert [entry.path for entry in asked(shared_world)].count("/graphql") == 1


async def test_what_is_amended_under_another_author_is_known_by_its_commit(
    shared_world: Sandbox, world: World
) -> None:
    """`git commit --amend --reset-author`, and a forced push."""
    home = await made(shared_world)
    add(world, home)
    await world.tick()
    github = shared_world.github
    head = await github.head(home.name, BRANCH)
    known = await github.ask("GET", f"/repos/{home.name}/git/commits/{head}")
    tree = {
        "base_tree": known["tree"]["sha"],
        "tree": [{"path": "fix.md", "mode": "100644", "type": "blob", "content": "by hand"}],
    }
    made_tree = await github.ask("POST", f"/repos/{home.name}/git/trees", tree)
    amended = {
        "message": known["message"],
        "tree": made_tree["sha"],
        "parents": [parent["sha"] for parent in known["parents"]],
    }
    sha = (await github.ask("POST", f"/repos/{home.name}/git/commits", amended))["sha"]
    await github.ask("PATCH", f"/repos/{home.name}/git/refs/heads/{BRANCH}", {"sha": sha, "force": True})
    add(world, home, 2, "c", pull_request=world.store[1].pull_request)
    await world.tick()
    assert await github.read(home.name, "fix.md", BRANCH) == "by hand"
    assert await github.read(home.name, "Dockerfile", BRANCH) == f"FROM {reference('c')}\n"


async def test_a_renamed_repository_gets_its_pull_request(shared_world: Sandbox, world: World) -> None:
    home = await made(shared_world)
    add(world, home)
    new = f"{home.name.partition('/')[2]}-renamed"
    await shared_world.github.ask("PATCH", f"/repos/{home.name}", {"name": new})
    await world.tick()
    assert world.store[1].state is RebuildState.OPEN
    assert len(await shared_world.github.pull_requests(new)) == 1


async def test_what_people_wrote_into_a_long_body_stays_and_new_wording_fits_all_the_same(
    shared_world: Sandbox, world: World
) -> None:
    home = await made(shared_world)
    add(world, home)
    await world.tick()
    (shown,) = await shared_world.github.pull_requests(home.name)
    words = "what we found out\n" * 3_500
    path = f"/repos/{home.name}/pulls/{shown['number']}"
    await shared_world.github.ask("PATCH", path, {"body": words + shown["body"]})
    world.store.outdate(1)
    world.store.alter(1, changes=(change(cves=tuple(f"CVE-2026-{number}" for number in range(300))),))
    await world.later()
    (shown,) = await shared_world.github.pull_requests(home.name)
    assert shown["body"].startswith(words)
    assert section_in(shown["body"]).digests == {reference("b").digest}
    assert "(shortened)" in shown["body"]
    assert len(shown["body"].encode()) < 65_536
