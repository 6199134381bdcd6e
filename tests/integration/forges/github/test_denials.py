"""What GitHub denies to an address or to a token that has the rights."""

from collections.abc import AsyncIterator

import pytest

from bot.clients.forges.github import GitHub, GitHubAccess, TokenCredentials
from bot.domain.clock import SystemClock
from bot.domain.forge.refusals import AccessDenied, Denial
from bot.domain.repositories.repository import Identity
from sandbox.world import World


@pytest.fixture
async def github(shared_world: World) -> AsyncIterator[GitHub]:
    access = GitHubAccess(shared_world.github.url, TokenCredentials(shared_world.github.token), 0)
    made = GitHub(access, SystemClock())
    yield made
    await made.close()
    shared_world.github.edge.allows_address = True
    shared_world.github.edge.needs_single_sign_on.clear()


async def repository(world: World, name: str) -> Identity:
    full = await world.github.create_repository(name, {"Dockerfile": "FROM a\n"})
    return Identity(full, (await world.github.ask("GET", f"/repos/{full}"))["node_id"])


async def test_an_address_that_the_organisation_does_not_allow_is_told_as_such(
    shared_world: World, github: GitHub
) -> None:
    home = await repository(shared_world, "walled")
    shared_world.github.edge.allows_address = False
    for question in (github.look(home, "b", []), github.tree(home, "main")):
        with pytest.raises(AccessDenied) as denied:
            await question
        assert denied.value.denial is Denial.IP_ALLOW_LIST


async def test_a_token_that_single_sign_on_keeps_out_is_told_as_such(shared_world: World, github: GitHub) -> None:
    home = await repository(shared_world, "signed-on")
    shared_world.github.edge.needs_single_sign_on.add(home.name)
    for question in (github.look(home, "b", []), github.tree(home, "main")):
        with pytest.raises(AccessDenied) as denied:
            await question
        assert denied.value.denial is Denial.SINGLE_SIGN_ON


async def test_one_repository_that_single_sign_on_hides_hides_no_other(shared_world: World, github: GitHub) -> None:
    shown, hidden = [await repository(shared_world, name) for name in ("shown", "hidden")]
    shared_world.github.edge.needs_single_sign_on.add(hidden.name)
    assert (await github.standings([shown, hidden])).keys() == {shown}
    assert (await github.files([shown, hidden], ["Dockerfile"])).keys() == {shown}
