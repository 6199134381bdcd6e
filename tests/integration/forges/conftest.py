"""Every test of a contract runs on the fake and on GitHub as the sandbox plays it; of a builder also on Azure
Pipelines.

GitHub is asked with a token that may all, and with a fine-grained one, which may read no checks; and once more
where its GraphQL shows node ids of another form than REST, and other Apps have checked each commit.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from typing import Any, cast
from urllib.parse import urlsplit

import pytest

from bot.clients.forges.azure_devops.pace import OrganizationPace
from bot.clients.forges.azure_devops.pipelines import Pipelines
from bot.clients.forges.azure_devops.sign_in import PersonalToken
from bot.clients.forges.azure_devops.transport import OrganizationTransport
from bot.clients.forges.github import GitHub, GitHubAccess, TokenCredentials
from bot.clients.http.client import HostRules, Http
from bot.domain.builder.port import Builder
from bot.domain.clock import SystemClock
from bot.fleet.wiring.routing import Builders
from sandbox.azure_devops.edge import TOKEN
from sandbox.world import World
from tests.conftest import SHARED
from tests.fakes.forge import FakeForge
from tests.integration.forges.stands import (
    Building,
    FakeBuilding,
    FakeStand,
    GitHubBuilding,
    GitHubStand,
    PipelinesBuilding,
    Stand,
)

FORGES = ("fake", "github", "fine-grained token", "other node ids")
"""A further forge is one more, with its `Stand`."""
PIPELINES = "azure pipelines"
BUILDERS = {each: each for each in FORGES} | {PIPELINES: "github"}
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


@asynccontextmanager
async def pipelines_in(world: World) -> AsyncIterator[Pipelines]:
    """What asks the sandbox's organisation; each question and answer is held to the description that is at hand."""
    clock, url = SystemClock(), world.azure_devops.url
    service = world.azure_devops.organizations["contoso"]
    service.folder = SHARED / "azure-devops" if SHARED.is_dir() else None
    service.definitions.clear()
    service.builds.clear()
    async with Http(clock, {urlsplit(url).netloc: HostRules(insecure=True)}) as http:
        authorization, pace = PersonalToken(TOKEN).authorization, OrganizationPace(timedelta())
        transport = OrganizationTransport(http, clock, "contoso", authorization, service=url, pace=pace)
        yield Pipelines({"contoso": transport})


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
async def building(where_it_is_built: World | None, request: pytest.FixtureRequest) -> AsyncIterator[Building]:
    if where_it_is_built is None:
        yield FakeBuilding(FakeStand(FakeForge(SystemClock())))
        return
    github = github_in(where_it_is_built)
    home = GitHubStand(github, where_it_is_built)
    if request.node.callspec.params["where_it_is_built"] == PIPELINES:
        async with pipelines_in(where_it_is_built) as pipelines:
            builders = {"github": github, "azure-pipelines": pipelines}
            yield PipelinesBuilding(cast(Builder, Builders(cast(Any, builders))), home)
    else:
        yield GitHubBuilding(github, home)
    await github.close()
