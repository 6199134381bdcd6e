"""The branch that hands files from one run to the next, on GitHub as the sandbox plays it."""

from collections.abc import AsyncIterator

import pytest

from bot.clients.forges.github import GitHubAccess, TokenCredentials
from bot.clients.forges.github.state_branch import StateBranch
from bot.domain.clock import SystemClock
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.refusals import BranchMoved, BranchRefused
from sandbox.world import World

FILES = {"freshness.db.xz": bytes(range(256)) * 40, "README.md": b"what the bot remembers\n"}


@pytest.fixture
async def home(shared_world: World, request: pytest.FixtureRequest) -> str:
    name = f"state-{abs(hash(request.node.name))}"
    return await shared_world.github.create_repository(name, {"README.md": "# Freshness\n"}, private=True)


@pytest.fixture
async def branch(shared_world: World, home: str) -> AsyncIterator[StateBranch]:
    access = GitHubAccess(shared_world.github.url, TokenCredentials(shared_world.github.token), 0)
    branch = StateBranch(access, SystemClock(), home, "freshness-bot-state")
    yield branch
    await branch.close()


async def test_nothing_is_kept_before_the_first_run(branch: StateBranch) -> None:
    assert await branch.read(await branch.home()) is None


async def test_what_one_run_keeps_the_next_one_reads(branch: StateBranch) -> None:
    home = await branch.home()
    commit = await branch.replace(home, FILES, "Run 1", None)
    kept = await branch.read(home)
    assert kept is not None
    assert (kept.commit, kept.files) == (commit, FILES)


async def test_the_branch_has_one_commit_however_often_it_is_replaced(
    shared_world: World, branch: StateBranch
) -> None:
    home, commit = await branch.home(), None
    for number in range(3):
        commit = await branch.replace(home, FILES | {"run": b"%d" % number}, f"Run {number}", commit)
    shown = await shared_world.github.ask("GET", f"/repos/{home.identity.name}/git/commits/{commit}")
    assert shown["parents"] == []


async def test_a_run_that_read_what_another_has_replaced_since_keeps_nothing(branch: StateBranch) -> None:
    home = await branch.home()
    first = await branch.replace(home, FILES, "Run 1", None)
    second = await branch.replace(home, {"run": b"2"}, "Run 2", first)
    with pytest.raises(BranchMoved):
        await branch.replace(home, {"run": b"3"}, "Run 3", first)
    kept = await branch.read(home)
    assert kept is not None
    assert (kept.commit, kept.files) == (second, {"run": b"2"})


async def test_of_two_first_runs_one_keeps_what_it_has(branch: StateBranch) -> None:
    home = await branch.home()
    await branch.replace(home, FILES, "Run 1", None)
    with pytest.raises(BranchMoved):
        await branch.replace(home, {"run": b"2"}, "Run 1 of another", None)


async def test_a_rule_that_forbids_the_branch_is_told_as_one(
    shared_world: World, home: str, branch: StateBranch
) -> None:
    shared_world.github.forbid(home.partition("/")[2], "*", "creation")
    with pytest.raises(BranchRefused):
        await branch.replace(await branch.home(), FILES, "Run 1", None)


async def test_a_public_home_is_told_from_a_private_one(shared_world: World, branch: StateBranch) -> None:
    assert not (await branch.home()).is_public
    name = await shared_world.github.create_repository("state-for-all", {"README.md": ""})
    access = GitHubAccess(shared_world.github.url, TokenCredentials(shared_world.github.token), 0)
    of_all = StateBranch(access, SystemClock(), name, "freshness-bot-state")
    assert (await of_all.home()).is_public
    await of_all.close()


async def test_a_token_that_may_not_write_is_told_so(shared_world: World, branch: StateBranch) -> None:
    home = await branch.home()
    shared_world.github.restrict_token(contents="read")
    try:
        with pytest.raises(Failure) as raised:
            await branch.replace(home, FILES, "Run 1", None)
    finally:
        shared_world.github.restrict_token()
    assert raised.value.trouble is Trouble.DENIED
