"""GitHub may say of a rule what it says of a branch that has moved: then the rules are asked."""

import json

import pytest

from bot.clients.forges.github import GitHub, GitHubAccess, TokenCredentials
from bot.domain.clock import SystemClock
from bot.domain.forge.refusals import BranchMoved, BranchRefused
from bot.domain.repositories.repository import Identity
from sandbox.world import World
from tests.integration.forges.changes import BRANCH, OLD, PATH, change_for, request_for

FAILED = {
    "data": {"ref": None, "commit": None, "request": None},
    "errors": [{"type": "UNPROCESSABLE", "path": ["ref"], "message": "Reference update failed"}],
}


@pytest.mark.parametrize(("rule", "raised"), [("creation", BranchRefused), ("update", BranchMoved)])
async def test_a_refusal_without_a_reason_is_explained_by_the_rules(
    shared_world: World, rule: str, raised: type[Exception]
) -> None:
    shared_world.faults.clear()
    name = await shared_world.github.create_repository(f"ruled-{rule}", {PATH: OLD.decode()})
    row = await shared_world.github.ask("GET", f"/repos/{name}")
    repository = Identity(name, row["node_id"])
    shared_world.github.forbid(name, "freshness/*", rule)
    access = GitHubAccess(shared_world.github.url, TokenCredentials(shared_world.github.token), 0)
    github = GitHub(access, SystemClock())
    look = await github.look(repository, BRANCH, [PATH])
    shared_world.faults.add("POST", "createRef", status=200, body=json.dumps(FAILED))
    with pytest.raises(raised):
        await github.carry_out(repository, change_for(look), None, request_for(look))
    await github.close()
