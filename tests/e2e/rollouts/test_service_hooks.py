"""A push to Azure Repos is told by a service hook, read back, and acted upon long before heads are asked for."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from bot.fleet.heartbeats import Heartbeats
from bot.fleet.stages import one_pass
from bot.service.running import wire_site
from bot.web.app import app_of
from bot.web.serving import bound, serving
from sandbox.azure_devops.edge import TOKEN
from sandbox.azure_devops.repos import Home
from sandbox.azure_devops.service import Service
from sandbox.fleets.fleet import ASPNET, RUNTIME_TAG
from sandbox.fleets.pipelines import FLOATING, HOME, PINNED, AzureFleet
from sandbox.programs.processes import ANY_PORT
from sandbox.world import World
from tests.e2e.beginnings import beginning
from tests.e2e.publishing import move
from tests.e2e.staging import Stage, settled_with_azure

SECRET = "s" * 40
NEW, PLACE = "api/Dockerfile", f"{ASPNET}:{RUNTIME_TAG}"
SHORTLY = timedelta(minutes=5)


async def _begin(world: World, folder: Path, store_url: str, exits: AsyncExitStack) -> Stage:
    file = folder / "hook-secret"
    file.write_text(SECRET)
    fleet = AzureFleet(world)
    return await settled_with_azure(
        *(world, folder, store_url, exits, fleet, f"{HOME}/*"),
        policy=[fleet.rule(FLOATING), fleet.rule(PINNED)],
        web={"listen": ANY_PORT, "hooks": {"azure_devops_secret_file": str(file)}},
    )


BEGUN = beginning(_begin)
begun = BEGUN.fixture()


@pytest.fixture
async def hooked(begun: Stage) -> AsyncIterator[str]:
    """Where the bot hears events."""
    with bound(ANY_PORT) as listening:
        host, port = listening.getsockname()[:2]
        async with serving(app_of(wire_site(begun.bot, Heartbeats())), listening):
            yield f"http://{host}:{port}/hooks/azure-devops"


def there(stage: Stage) -> tuple[Service, Home]:
    assert isinstance(stage.fleet, AzureFleet)
    return stage.fleet.service, stage.fleet.homes[PINNED]


async def subscribe(stage: Stage, hook: str, secret: str = SECRET) -> None:
    """As an operator sets it up."""
    body = {
        "publisherId": "tfs",
        "eventType": "git.push",
        "resourceVersion": "1.0",
        "consumerId": "webHooks",
        "consumerActionId": "httpRequest",
        "publisherInputs": {"projectId": there(stage)[1].project["id"], "repository": ""},
        "consumerInputs": {"url": hook, "httpHeaders": f"Authorization: Bearer {secret}"},
    }
    address = f"{stage.world.azure_devops.url}/contoso/_apis/hooks/subscriptions?api-version=7.1"
    async with httpx.AsyncClient() as client:
        answer = await client.post(address, json=body, headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200


async def passes(stage: Stage) -> None:
    """What a service does within a quarter of an hour, of what is due alone."""
    for _ in range(3):
        stage.clock.ahead += SHORTLY
        assert [problem for outcome in await one_pass(stage.bot) for problem in outcome.problems] == []


def proposed(stage: Stage) -> list[str]:
    """The texts of the new file on the branches of open pull requests."""
    service, home = there(stage)
    heads = [row["sourceRefName"] for row in service.requests.rows.values() if row["status"] == "active"]
    return [home.git.text(home.git.branches[head.removeprefix("refs/heads/")], NEW) or "" for head in heads]


def push_pin(stage: Stage) -> None:
    """A second image, which stands on what the base shows now."""
    service, home = there(stage)
    text = f"FROM {stage.world.registry.host}/{PLACE}@{stage.fleet.digests[PLACE]}\n"
    service.repos.push(home, "main", {NEW: text.encode()})


async def test_a_push_is_heard_read_back_and_its_pin_rewritten_sooner_than_heads_are_asked_for(
    begun: Stage, hooked: str
) -> None:
    await subscribe(begun, hooked)
    push_pin(begun)
    assert await there(begun)[0].hooks.deliver() == [202]
    await passes(begun)
    await move(begun)
    [text] = proposed(begun)
    assert f"@{begun.fleet.digests[PLACE]}" in text
    assert begun.world.traffic.violations == []


async def test_what_nobody_tells_of_waits_until_heads_are_asked_for(begun: Stage) -> None:
    push_pin(begun)
    pushed = there(begun)[1].git.text(there(begun)[1].git.branches["main"], NEW)
    await passes(begun)
    await move(begun)
    assert proposed(begun) == [pushed]


async def test_who_does_not_know_the_secret_brings_nothing_forward(begun: Stage, hooked: str) -> None:
    await subscribe(begun, hooked, "x" * 40)
    push_pin(begun)
    assert await there(begun)[0].hooks.deliver() == [403]
    begun.world.traffic.forget()
    await passes(begun)
    assert begun.world.traffic.requests(service="azure", path="/git/repositories/") == []
