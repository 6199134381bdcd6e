"""What is asked for many pull requests of Azure Repos at once."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.clients.forges.azure_devops.forge import AzureRepos
from bot.clients.forges.azure_devops.names import AzureNode
from bot.clients.http.client import Http
from bot.domain.clock import ManualClock
from bot.domain.reference import Base
from bot.domain.repositories.repository import AZURE_DEVOPS, Identity
from bot.domain.rollouts.marker import MarkedTarget, marker_line
from sandbox.azure_devops.pull_requests import BOT
from sandbox.azure_devops.repos import Home, row_of
from sandbox.azure_devops.service import PROJECT, Service
from tests.builders import NOON
from tests.unit.clients.forges.azure_devops.playing import played, transports_of

HOMES, OPEN = 3, 150
BASE = Base("mcr.microsoft.com", "dotnet/aspnet", "10.0")
MARKED = marker_line((MarkedTarget(BASE, None, f"sha256:{'a' * 64}"),))


@pytest.fixture
async def service(shared: Path) -> AsyncIterator[Service]:
    """Repositories of one project with so many open pull requests of the bot in turn."""
    service = Service(shared / "azure-devops", ManualClock(NOON))
    homes = [service.repos.create(f"shop {number}", PROJECT) for number in range(HOMES)]
    for home in homes:
        service.repos.push(home, "main", {"Dockerfile": b"FROM a:1\n"})
    for number in range(OPEN):
        home, branch = homes[number % HOMES], f"freshness/{number}"
        service.repos.push(home, branch, {"Dockerfile": f"FROM a:{number}\n".encode()})
        service.requests.rows[number] = _row(home, number, branch)
    yield service
    assert service.mistakes == []


def _row(home: Home, number: int, branch: str) -> dict[str, Any]:
    return {
        "repository": row_of(home),
        "pullRequestId": number,
        "sourceRefName": f"refs/heads/{branch}",
        "targetRefName": "refs/heads/main",
        "status": "active",
        "createdBy": BOT,
        "creationDate": "2026-11-30T10:11:12Z",
        "mergeStatus": "conflicts",
        "title": "Refresh a",
        "description": MARKED,
        "isDraft": False,
    }


def _identity(home: Home) -> Identity:
    node = AzureNode("contoso", PROJECT["id"], "git", home.id)
    return Identity(f"contoso/{PROJECT['name']}/{home.name}", str(node), AZURE_DEVOPS)


def _asked(service: Service) -> list[str]:
    paths = [path.rpartition("_apis/")[2] for _, path in service.asked]
    return [path for path in paths if not path.startswith("connectionData")]


async def test_the_bots_requests_of_a_project_are_listed_together(service: Service) -> None:
    clock = ManualClock(NOON)
    identities = [_identity(home) for home in service.repos.homes.values()]
    async with Http(clock, transport=played(service)) as http:
        told = await AzureRepos(transports_of(http, clock)).own_requests(identities)
    assert [len(told[identity]) for identity in identities] == [OPEN // HOMES] * HOMES
    asked = _asked(service)
    assert [path for path in asked if "/commits/" not in path] == ["git/repositories", *["git/pullrequests"] * 3]


async def test_more_than_a_hundred_open_ones_of_a_project_are_followed_page_by_page(service: Service) -> None:
    clock = ManualClock(NOON)
    nodes = [str(AzureNode("contoso", PROJECT["id"], "pr", str(number))) for number in service.requests.rows]
    async with Http(clock, transport=played(service)) as http:
        followed = await AzureRepos(transports_of(http, clock)).follow_requests(nodes)
    assert followed.states.keys() == set(nodes)
    assert _asked(service) == ["git/repositories", "git/pullrequests", "git/pullrequests"]
