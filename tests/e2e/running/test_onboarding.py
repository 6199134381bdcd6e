"""Repositories are brought to the practices by pull requests, which are merged, declined, or taken over."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.domain.repositories.finding import Outcome, outcomes
from bot.domain.repositories.onboarding import SAFE_CHECKS, Onboarding, OnboardingState
from bot.fleet.act.onboarding.rows import OnboardingsStore
from bot.store.pages.fleet.practices import PracticesStore
from sandbox.fleets.bare_repository import BUILD, DEPLOYMENT, bare_files
from sandbox.fleets.fleet import SampleFleet
from sandbox.world import World
from tests.e2e.beginnings import beginning
from tests.e2e.staging import Stage, settled

SHOP, CART, WEB, DESK = "shop", "cart", "web", "desk"
BRANCH = "freshness/onboarding"
LOGIN = "registry-login"


class BareFleet(SampleFleet):
    """Four repositories as they are before anybody has looked at their practices, and an action of their own.

    The App may not change workflows yet.
    """

    async def build(self, version: str = "10.0.0") -> None:
        await super().build(version)
        github = self.world.github
        tag = {"ref": "refs/tags/v2", "sha": await github.head(LOGIN)}
        await github.ask("POST", f"/repos/contoso/{LOGIN}/git/refs", tag)
        del github.edge.installations.of("contoso").permissions["workflows"]

    def repositories(self, version: str) -> Mapping[str, Mapping[str, str]]:
        texts = {path: text.decode() for path, text in bare_files().items()}
        texts[BUILD] = texts[BUILD].replace("docker/login-action@v3", f"contoso/{LOGIN}@v2")
        return {**dict.fromkeys((SHOP, CART, WEB, DESK), texts), LOGIN: {"action.yml": "name: Sign in\n"}}


async def bare(world: World, folder: Path, store_url: str, exits: AsyncExitStack) -> Stage:
    key = folder / "app.pem"
    key.write_text(world.github.private_key)
    numbers = {"id": world.github.app_id, "installation": world.github.installation_id}
    return await settled(
        *(world, folder, store_url, exits),
        fleet=BareFleet(world),
        github={"token_file": None, "app": {**numbers, "private_key_file": str(key)}},
        onboarding={"repositories": ["contoso/*"], "at_once": 4},
    )


stage = beginning(bare).fixture()


async def standing(stage: Stage, name: str) -> Onboarding:
    due = await stage.bot.stores[OnboardingsStore].source(f"contoso/{name}")
    assert due is not None
    return due.onboarding


async def the_request(stage: Stage, name: str) -> dict[str, Any]:
    [request] = await stage.world.github.pull_requests(name)
    return request


async def checks_of(stage: Stage, name: str) -> list[str]:
    """The checks that the commits of the branch are for, in their order."""
    github, found = stage.world.github, list[str]()
    branches = await github.branches(name)
    at = branches[BRANCH]
    while at != branches["main"]:
        commit = await github.ask("GET", f"/repos/contoso/{name}/git/commits/{at}")
        found.insert(0, commit["message"].partition("\n")[0].rpartition("(")[2].rstrip(")"))
        at = commit["parents"][0]["sha"]
    return found


async def failing(stage: Stage, name: str) -> set[str]:
    found = await stage.bot.stores[PracticesStore].audited(f"contoso/{name}")
    assert found is not None
    return {check for check, outcome in outcomes(found.findings).items() if outcome is Outcome.FAILS}


async def passes(stage: Stage, number: int) -> None:
    """As many passes, an hour apart."""
    for _ in range(number):
        stage.clock.ahead += timedelta(hours=1)
        await stage.run_pass()


@pytest.mark.long
async def test_repositories_are_brought_along_or_leave_it(stage: Stage) -> None:
    github = stage.world.github
    # Without the right to change workflows the rest comes, and their edits are told as patches.
    request = await the_request(stage, SHOP)
    assert request["title"] == "Bring 3 practices along: base-pinned, no-privilege-escalation and 1 more"
    assert "lacks the right to change .github/workflows/" in request["body"]
    assert set(await github.branches(SHOP)) == {"main", BRANCH}
    assert await checks_of(stage, SHOP) == ["base-pinned", "no-privilege-escalation", "seccomp-profile"]
    assert await github.read(SHOP, BUILD, BRANCH) == await github.read(SHOP, BUILD)

    # One is merged, one declined, one taken over by a person, and one conflicts with what was pushed meanwhile.
    github.edge.installations.of("contoso").permissions["workflows"] = "write"
    await github.merge(SHOP, request["number"])
    await github.close(CART, (await the_request(stage, CART))["number"])
    await github.push(WEB, {"NOTES.md": "ours\n"}, branch=BRANCH)
    await github.push(DESK, {"Dockerfile": "FROM mcr.microsoft.com/dotnet/aspnet:8.0.12\nCOPY app /app\n"})
    await passes(stage, 2)
    assert (await standing(stage, CART)).state is OnboardingState.DECLINED
    assert (await standing(stage, WEB)).reason.startswith("somebody has committed to the branch of #")
    assert (
        await github.read(DESK, "Dockerfile", BRANCH) == "FROM mcr.microsoft.com/dotnet/aspnet:8.0\nCOPY app /app\n"
    )
    assert "base-pinned" in await checks_of(stage, DESK)

    # The next pull request brings the workflow along, now that the right is there.
    request = await the_request(stage, SHOP)
    text = await github.read(SHOP, BUILD, BRANCH)
    assert f"contoso/{LOGIN}@{await github.head(LOGIN)} # v2\n" in text
    assert "    - cron: '" not in text
    assert "which would be done every week" in request["body"]
    assert "could not be asked of the forge" in request["body"]
    await github.merge(SHOP, request["number"])
    await passes(stage, 2)

    # What is left needs people: the commit of an action that this forge does not know, and what one may do that
    # nobody has read.
    done = await standing(stage, SHOP)
    assert (done.state, done.merged) == (OnboardingState.DONE, 2)
    assert await failing(stage, SHOP) & set(SAFE_CHECKS) == {"actions-pinned", "dispatchable", "weekly-rebuild"}
    assert await github.pull_requests(SHOP) == []
    assert await github.pull_requests(CART) == []
    assert await github.read(SHOP, DEPLOYMENT) != bare_files()[DEPLOYMENT].decode()
