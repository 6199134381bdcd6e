"""Rules that do not let the bot make its branch: known before the first write, or told by the refusal."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import pytest

from bot.clients.forges.github import GitHub, GitHubAccess, TokenCredentials
from bot.domain.clock import SystemClock
from bot.domain.failure import Failure
from bot.domain.forge.refusals import BranchMoved, BranchRefused, BranchRule
from bot.domain.repositories.repository import Identity
from sandbox.github.repositories.rules import Protection
from sandbox.world import World
from tests.integration.forges.changes import BRANCH, NEW, NEWER, OLD, PATH, change_for, request_for

FAILED = {
    "data": {"ref": None, "commit": None, "request": None},
    "errors": [{"type": "UNPROCESSABLE", "path": ["ref"], "message": "Reference update failed"}],
}
CHECKS = {"strict_required_status_checks_policy": False, "required_status_checks": [{"context": "DCO"}]}
REVIEWS = {
    "dismiss_stale_reviews_on_push": False,
    "require_code_owner_review": False,
    "require_last_push_approval": False,
    "required_approving_review_count": 1,
    "required_review_thread_resolution": False,
}
_NUMBERS = count(1)


@dataclass
class Ruled:
    """A repository under rules, and the bot."""

    world: World
    github: GitHub
    home: Identity

    async def bring(self, content: bytes = NEW) -> None:
        look = await self.github.look(self.home, BRANCH, [PATH])
        change = change_for(look, content)
        prepared = await self.github.prepare(self.home, change)
        await self.github.carry_out(self.home, change, prepared, request_for(look))

    async def refused(self, content: bytes = NEW) -> BranchRefused:
        with pytest.raises(BranchRefused) as refused:
            await self.bring(content)
        return refused.value

    async def branches(self) -> set[str]:
        return set(await self.world.github.branches(self.home.name))

    def asked(self, path: str) -> int:
        return len(self.world.traffic.requests("github", path=f"{self.home.name}/{path}"))


@pytest.fixture
async def ruled(shared_world: World) -> AsyncIterator[Ruled]:
    shared_world.faults.clear()
    shared_world.traffic.forget()
    name = await shared_world.github.create_repository(f"ruled-{next(_NUMBERS)}", {PATH: OLD.decode()})
    row = await shared_world.github.ask("GET", f"/repos/{name}")
    access = GitHubAccess(shared_world.github.url, TokenCredentials(shared_world.github.token), 0)
    github = GitHub(access, SystemClock())
    yield Ruled(shared_world, github, Identity(name, row["node_id"]))
    await github.close()


@pytest.mark.parametrize(("rule", "raised"), [("creation", BranchRefused), ("update", BranchMoved)])
async def test_a_refusal_without_a_reason_is_explained_by_the_rules(
    ruled: Ruled, rule: str, raised: type[Failure]
) -> None:
    """GitHub may say of a rule what it says of a branch that has moved: then the rules are asked."""
    ruled.world.github.forbid(ruled.home.name, "freshness/*", rule)
    look = await ruled.github.look(ruled.home, BRANCH, [PATH])
    ruled.world.faults.add("POST", "createRef", status=200, body=json.dumps(FAILED))
    with pytest.raises(raised):
        await ruled.github.carry_out(ruled.home, change_for(look), None, request_for(look))


@pytest.mark.parametrize(
    ("kind", "parameters", "rule"),
    [
        ("creation", {}, BranchRule.CREATION),
        ("update", {}, BranchRule.UPDATE),
        ("pull_request", REVIEWS, BranchRule.PULL_REQUEST),
        ("required_status_checks", CHECKS, BranchRule.CHECKS),
    ],
)
async def test_a_ruleset_that_will_refuse_the_commit_is_known_before_a_branch_is_made(
    ruled: Ruled, kind: str, parameters: dict[str, Any], rule: BranchRule
) -> None:
    ruled.world.github.forbid(ruled.home.name, "freshness/*", kind, **parameters)
    assert (await ruled.refused()).rule is rule
    assert ruled.world.traffic.writes() == []


async def test_rules_are_asked_for_once_for_each_repository_and_prefix(ruled: Ruled) -> None:
    ruled.world.github.forbid(ruled.home.name, "freshness/*", "creation")
    await ruled.refused()
    await ruled.refused()
    assert (ruled.asked("rules/branches"), ruled.asked("rulesets")) == (1, 1)


async def test_a_repository_without_rules_for_the_branch_costs_no_request_for_them(ruled: Ruled) -> None:
    ruled.world.github.protect(ruled.home.name, checks=("ci",), reviews=1)
    await ruled.bring()
    assert ruled.asked("rules") == 0
    assert BRANCH in await ruled.branches()


async def test_a_rule_that_the_bot_may_pass_keeps_nothing_back(ruled: Ruled) -> None:
    ruled.world.github.forbid(ruled.home.name, "freshness/*", "pull_request", bypassed=True, **REVIEWS)
    await ruled.bring()
    assert BRANCH in await ruled.branches()


async def test_rules_that_are_not_told_are_left_to_the_write(ruled: Ruled) -> None:
    ruled.world.github.forbid(ruled.home.name, "freshness/*", "creation", bypassed=True)
    ruled.world.faults.add("GET", "/rules/branches/", status=403, body=json.dumps({"message": "Not for you"}))
    await ruled.bring()
    assert BRANCH in await ruled.branches()


@pytest.mark.parametrize(
    ("protection", "rule"),
    [
        (Protection("freshness/*", through_pull_request=True), BranchRule.PULL_REQUEST),
        (Protection("freshness/*", reviews=1), BranchRule.PULL_REQUEST),
        (Protection("freshness/*", checks=("a", "b", "c", "d")), BranchRule.CHECKS),
        (Protection("freshness/*", pushers_only=True), BranchRule.PUSHERS),
    ],
)
async def test_a_commit_that_the_older_protection_refuses_leaves_no_empty_branch_behind(
    ruled: Ruled, protection: Protection, rule: BranchRule
) -> None:
    """It does not show before the branch is there."""
    ruled.world.github.protect_classically(ruled.home.name, replace(protection, deletable=True))
    assert (await ruled.refused()).rule is rule
    assert await ruled.branches() == {"main"}


async def test_the_older_protection_of_a_branch_that_is_there_is_known_by_the_look(ruled: Ruled) -> None:
    await ruled.bring()
    ruled.world.traffic.forget()
    ruled.world.github.protect_classically(ruled.home.name, Protection("freshness/*", pushers_only=True))
    assert (await ruled.refused(NEWER)).rule is BranchRule.PUSHERS
    assert ruled.world.traffic.writes() == []


async def test_a_secret_in_a_file_is_told_as_such_and_leaves_no_empty_branch_behind(ruled: Ruled) -> None:
    ruled.world.github.take_for_secret(ruled.home.name, NEW.decode().strip())
    assert (await ruled.refused()).rule is BranchRule.SECRETS
    assert await ruled.branches() == {"main"}


async def test_a_refusal_in_words_that_nobody_knows_leaves_no_empty_branch_behind(ruled: Ruled) -> None:
    look = await ruled.github.look(ruled.home, BRANCH, [PATH])
    too_much = change_for(look, NEW)
    twice = replace(too_much, files=too_much.files * 2)
    with pytest.raises(BranchMoved):
        await ruled.github.carry_out(ruled.home, twice, None, request_for(look))
    assert await ruled.branches() == {"main"}
