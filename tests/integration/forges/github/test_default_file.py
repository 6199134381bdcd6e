"""One file of a default branch, on GitHub as the sandbox plays it."""

import pytest

from bot.clients.forges.github import GitHubAccess, TokenCredentials
from bot.clients.forges.github.files import default_file
from bot.domain.clock import SystemClock
from bot.domain.failure import Failure, Trouble
from sandbox.world import World

PATH = ".github/workflows/freshness.yml"


@pytest.fixture
def access(shared_world: World) -> GitHubAccess:
    return GitHubAccess(shared_world.github.url, TokenCredentials(shared_world.github.token), 0)


async def test_it_is_read_as_it_stands_on_the_default_branch(shared_world: World, access: GitHubAccess) -> None:
    name = await shared_world.github.create_repository("with-a-file", {PATH: "on: push # grün\n"}, private=True)
    assert await default_file(access, SystemClock(), name, PATH) == "on: push # grün\n"


async def test_one_that_is_not_there_or_is_a_folder_is_a_failure(shared_world: World, access: GitHubAccess) -> None:
    name = await shared_world.github.create_repository("without-a-file", {PATH: "on: push\n"}, private=True)
    for path, trouble in (("absent.yml", Trouble.MISSING), (".github/workflows", Trouble.MALFORMED)):
        with pytest.raises(Failure) as caught:
            await default_file(access, SystemClock(), name, path)
        assert caught.value.trouble is trouble
