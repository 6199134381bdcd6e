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

from bot.clients.forges.azure_devops.forge import AzureRepos
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
    NOBODY,
    AzureStand,
    Building,
    FakeBuilding,
    FakeStand,
    GitHubBuilding,
    GitHubStand,
    PipelinesBuilding,
    Stand,
)

GITHUBS = ("fake", "github", "fine-grained token", "other node ids")
AZURE_REPOS = "azure repos"
FORGES = (*GITHUBS, AZURE_REPOS)
"""A further forge is one more, with its `Stand`."""
PIPELINES = "azure pipelines"
PIPELINES_THERE = "azure pipelines of azure repos"
BUILDERS = {each: each for each in GITHUBS} | {PIPELINES: "github", PIPELINES_THERE: AZURE_REPOS}
"""By which forge holds what they build. A further builder is one more, with its `Building`."""
FINE_GRAINED = {
    "actions": "write",
    "contents": "write",
    "issues": "write",
    "members": "read",
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
    if forge == AZURE_REPOS:
        world.azure_devops.organizations["contoso"].repos.homes.clear()
        world.azure_devops.organizations["contoso"].requests.rows.clear()
        world.azure_devops.organizations["contoso"].requests.linking.clear()
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
async def azure_devops_in(world: World) -> AsyncIterator[dict[str, OrganizationTransport]]:
    """What asks the sandbox's organisation; each question and answer is held to the description that is at hand."""
    clock, url = SystemClock(), world.azure_devops.url
    service = world.azure_devops.organizations["contoso"]
    service.folder = SHARED / "azure-devops" if SHARED.is_dir() else None
    for kept in (service.definitions, service.builds, service.timelines, service.mistakes, service.lacking):
        kept.clear()
    async with Http(clock, {urlsplit(url).netloc: HostRules(insecure=True)}) as http:
        authorization, pace = PersonalToken(TOKEN).authorization, OrganizationPace(timedelta())
        transport = OrganizationTransport(http, clock, "contoso", authorization, service=url, pace=pace)
        yield {"contoso": transport}
    service.lacking.clear()
    assert service.mistakes == []


@pytest.fixture(params=FORGES)
def where_it_lives(request: pytest.FixtureRequest) -> Iterator[World | None]:
    with played_as(request.param, request) as world:
        yield world


@pytest.fixture
async def stand(where_it_lives: World | None, request: pytest.FixtureRequest) -> AsyncIterator[Stand]:
    if where_it_lives is None:
        yield FakeStand(FakeForge(SystemClock(), unknown={NOBODY}))
        return
    if request.node.callspec.params["where_it_lives"] == AZURE_REPOS:
        async with azure_devops_in(where_it_lives) as transports:
            stand = AzureStand(AzureRepos(transports), where_it_lives.azure_devops.organizations["contoso"])
            yield cast(Stand, stand)
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
    which = request.node.callspec.params["where_it_is_built"]
    service = where_it_is_built.azure_devops.organizations["contoso"]
    github = github_in(where_it_is_built)
    if which in (PIPELINES, PIPELINES_THERE):
        async with azure_devops_in(where_it_is_built) as transports:
            pipelines = Pipelines(transports)
            builders = {"github": github, "azure-pipelines": pipelines, "azure-devops": pipelines}
            homes = {
                PIPELINES: GitHubStand(github, where_it_is_built),
                PIPELINES_THERE: AzureStand(AzureRepos(transports), service),
            }
            building = PipelinesBuilding(
                cast(Builder, Builders(cast(Any, builders))), cast(Any, homes[which]), service
            )
            yield cast(Building, building)
    else:
        yield GitHubBuilding(github, GitHubStand(github, where_it_is_built))
    await github.close()
