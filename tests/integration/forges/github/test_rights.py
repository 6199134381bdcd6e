"""What GitHub refuses to an App that lacks a right, and what becomes of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from bot.clients.forges.github import GitHub, GitHubAccess, TokenCredentials
from bot.domain.clock import SystemClock
from bot.domain.forge.branches import BranchChange, FileChange
from bot.domain.forge.pull_requests import RequestChange, Wishes
from bot.domain.forge.refusals import FilesDenied
from bot.domain.repositories.repository import Identity
from sandbox.edges.edge import PATIENCE
from sandbox.github.access.installations import app_token
from sandbox.world import World

WORKFLOW = ".github/workflows/ci.yml"
BRANCH = "freshness/aspnet"


@asynccontextmanager
async def without(world: World, right: str) -> AsyncIterator[GitHub]:
    """The bot as an installation that lacks one right."""
    edge = world.github.edge.installations.of("contoso")
    wanted = {name: level for name, level in edge.permissions.items() if name != right}
    headers = {"authorization": f"Bearer {app_token(world.github.private_key)}"}
    async with httpx.AsyncClient(base_url=world.github.url, headers=headers, timeout=PATIENCE) as app:
        answer = await app.post(f"/app/installations/{edge.id}/access_tokens", json={"permissions": wanted})
    token = TokenCredentials(answer.json()["token"])
    github = GitHub(GitHubAccess(world.github.url, token, seconds_between_writes=0), SystemClock())
    try:
        yield github
    finally:
        await github.close()


@pytest.mark.parametrize("mode", ["100644", "100755"])
async def test_workflow_files_that_may_not_be_changed_are_told_apart_from_the_rest(
    shared_world: World, mode: str
) -> None:
    files = {"Dockerfile": "FROM a\n", WORKFLOW: "on: workflow_dispatch\n"}
    name = await shared_world.github.create_repository(f"rights-{mode}", files)
    node = (await shared_world.github.ask("GET", f"/repos/{name}"))["node_id"]
    home = Identity(name, node)
    async with without(shared_world, "workflows") as github:
        trunk = (await github.look(home, BRANCH, [])).trunk
        assert trunk is not None
        changed = (FileChange("Dockerfile", b"FROM b\n", mode), FileChange(WORKFLOW, b"on: push\n", "100644"))
        change = BranchChange(BRANCH, None, trunk.sha, trunk.tree, changed, "Refresh a")
        request = RequestChange(BRANCH, "main", None, "Refresh a", "body")
        with pytest.raises(FilesDenied) as refused:
            await github.carry_out(home, change, await github.prepare(home, change), request)
        assert (refused.value.folder, refused.value.right) == (".github/workflows/", "workflows: write")
        less = BranchChange(BRANCH, None, trunk.sha, trunk.tree, changed[:1], "Refresh a")
        look = await github.look(home, BRANCH, [])
        if look.branch is not None:
            less = BranchChange(BRANCH, look.branch.sha, trunk.sha, trunk.tree, changed[:1], "Refresh a")
        made = await github.carry_out(home, less, await github.prepare(home, less), request)
    assert made.is_open
    assert await shared_world.github.read(name, "Dockerfile", BRANCH) == "FROM b\n"


async def test_a_commit_made_aside_that_is_refused_leaves_no_branch_behind(shared_world: World) -> None:
    name = await shared_world.github.create_repository("rights-aside", {WORKFLOW: "on: push\n"})
    home = Identity(name, (await shared_world.github.ask("GET", f"/repos/{name}"))["node_id"])
    async with without(shared_world, "workflows") as github:
        trunk = (await github.look(home, BRANCH, [])).trunk
        assert trunk is not None
        files = (FileChange(WORKFLOW, b"on: workflow_dispatch\n"),)
        change = BranchChange(BRANCH, None, trunk.sha, trunk.tree, files, "Refresh a", is_aside=True)
        with pytest.raises(FilesDenied):
            await github.prepare(home, change)
    assert set(await shared_world.github.branches(name)) == {"main"}


async def test_a_team_that_may_not_be_read_keeps_no_pull_request_from_being_opened(shared_world: World) -> None:
    """The right to read teams is one that the bot can do without; what it would do with it is told."""
    name = await shared_world.github.create_repository("rights-team", {"Dockerfile": "FROM a\n"})
    await shared_world.github.create_team("hidden")
    home = Identity(name, (await shared_world.github.ask("GET", f"/repos/{name}"))["node_id"])
    wishes = Wishes(people=("operator",), teams=("hidden",))
    async with without(shared_world, "members") as github:
        look = await github.look(home, BRANCH, [], wishes)
        assert look.trunk is not None
        files = (FileChange("Dockerfile", b"FROM b\n"),)
        change = BranchChange(BRANCH, None, look.trunk.sha, look.trunk.tree, files, "Refresh a")
        request = RequestChange(BRANCH, "main", None, "Refresh a", "body")
        opened = await github.carry_out(home, change, await github.prepare(home, change), request)
        granted = await github.grant(home, opened, wishes, look)
    assert [str(refusal) for refusal in granted.refused] == [
        "no review asked of hidden: teams may not be read; grant members: read"
    ]
    (shown,) = await shared_world.github.pull_requests(name)
    assert [person["login"] for person in shown["requested_reviewers"]] == ["operator"]
