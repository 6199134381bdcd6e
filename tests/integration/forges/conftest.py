"""Every test of a contract runs on the fake and on GitHub as the sandbox plays it.

GitHub is asked with a token that may all, and with a fine-grained one, which may read no checks; and once more
where its GraphQL shows node ids of another form than REST, and other Apps have checked each commit.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import pytest

from bot.clients.forges.github import GitHub, GitHubAccess, TokenCredentials
from bot.domain.clock import SystemClock
from sandbox.world import World
from tests.fakes.forge import FakeForge
from tests.integration.forges.stands import Building, FakeBuilding, FakeStand, GitHubBuilding, GitHubStand, Stand

FORGES = ("fake", "github", "fine-grained token", "other node ids")
"""A further forge is one more, with its `Stand`."""
BUILDERS = {each: each for each in FORGES}
"""By which forge holds what they build. A further builder is one more, with its `Building`."""
FINE_GRAINED = {
    "actions": "write",
    "contents": "write",
    "issues": "write",
    "pull_requests": "write",
    "security_events": "write",
    "workflows": "write",
}
"""All that the bot uses and that there is for such a token."""


@contextmanager
def played_as(forge: str, request: pytest.FixtureRequest) -> Iterator[World | None]:
    """The world in which GitHub is played; None for the fake, which needs none."""
    if forge == "fake":
        yield None
        return
    world: World = request.getfixturevalue("shared_world")
    world.github.restrict_token(**(FINE_GRAINED if forge == "fine-grained token" else {}))
    is_other = forge == "other node ids"
    world.github.edge.renews_node_ids, world.github.actions.other_suites = is_other, 25 if is_other else 0
    world.faults.clear()
    world.traffic.forget()
    world.traffic.violations.clear()
    yield world
    world.github.restrict_token()
    world.github.edge.renews_node_ids, world.github.actions.other_suites = False, 0
    assert world.traffic.violations == []


def github_in(world: World) -> GitHub:
    access = GitHubAccess(world.github.url, TokenCredentials(world.github.token), seconds_between_writes=0)
    return GitHub(access, SystemClock())


@pytest.fixture(params=FORGES)
def where_it_lives(request: pytest.FixtureRequest) -> Iterator[World | None]:
    with played_as(request.param, request) as world:
        yield world


@pytest.fixture
async def stand(where_it_lives: World | None) -> AsyncIterator[Stand]:
    if where_it_lives is None:
        yield FakeStand(FakeForge(SystemClock()))
        return
    github = github_in(where_it_lives)
    yield GitHubStand(github, where_it_lives)
    await github.close()


@pytest.fixture(params=BUILDERS)
def where_it_is_built(request: pytest.FixtureRequest) -> Iterator[World | None]:
    with played_as(BUILDERS[request.param], request) as world:
        yield world


@pytest.fixture
async def building(where_it_is_built: World | None) -> AsyncIterator[Building]:
    if where_it_is_built is None:
        yield FakeBuilding(FakeStand(FakeForge(SystemClock())))
        return
    github = github_in(where_it_is_built)
    yield GitHubBuilding(github, GitHubStand(github, where_it_is_built))
    await github.close()
