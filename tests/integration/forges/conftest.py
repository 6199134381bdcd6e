"""Every test of the contract runs on the fake and on GitHub as the sandbox plays it."""

from collections.abc import AsyncIterator

import pytest

from bot.clients.forges.github import GitHub, GitHubAccess, TokenCredentials
from bot.domain.clock import SystemClock
from sandbox.world import World
from tests.fakes.forge import FakeForge
from tests.integration.forges.stands import FakeStand, GitHubStand, Stand


@pytest.fixture(params=["fake", "github"])
def played(request: pytest.FixtureRequest) -> World | None:
    """The world in which GitHub is played; None for the fake, which needs none."""
    return None if request.param == "fake" else request.getfixturevalue("shared_world")


@pytest.fixture
async def stand(played: World | None) -> AsyncIterator[Stand]:
    if played is None:
        yield FakeStand(FakeForge(SystemClock()))
        return
    played.faults.clear()
    played.traffic.forget()
    played.traffic.violations.clear()
    access = GitHubAccess(played.github.url, TokenCredentials(played.github.token), seconds_between_writes=0)
    github = GitHub(access, SystemClock())
    yield GitHubStand(github, played)
    await github.close()
    assert played.traffic.violations == []
