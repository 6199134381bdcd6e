"""Every test of the contract runs on the fake and on GitHub as the sandbox plays it.

GitHub is asked with a token that may all, and with a fine-grained one, which may read no checks; and once more
where its GraphQL shows node ids of another form than REST, and other Apps have checked each commit.
"""

from collections.abc import AsyncIterator, Iterator

import pytest

from bot.clients.forges.github import GitHub, GitHubAccess, TokenCredentials
from bot.domain.clock import SystemClock
from sandbox.world import World
from tests.fakes.forge import FakeForge
from tests.integration.forges.stands import FakeStand, GitHubStand, Stand

FINE_GRAINED = {
    "actions": "write",
    "contents": "write",
    "issues": "write",
    "pull_requests": "write",
    "security_events": "write",
    "workflows": "write",
}
"""All that the bot uses and that there is for such a token."""


@pytest.fixture(params=["fake", "github", "fine-grained token", "other node ids"])
def played(request: pytest.FixtureRequest) -> Iterator[World | None]:
    """The world in which GitHub is played; None for the fake, which needs none."""
    if request.param == "fake":
        yield None
        return
    world: World = request.getfixturevalue("shared_world")
    world.github.restrict_token(**(FINE_GRAINED if request.param == "fine-grained token" else {}))
    is_other = request.param == "other node ids"
    world.github.edge.renews_node_ids, world.github.actions.other_suites = is_other, 25 if is_other else 0
    yield world
    world.github.restrict_token()
    world.github.edge.renews_node_ids, world.github.actions.other_suites = False, 0


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
