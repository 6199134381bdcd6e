"""What a fleet on GitHub and in Azure Repos asks of both: seen first, on a day on which nothing moves, and for a
rebuild by each way, with all that is looked at beside it."""

import asyncio
import tempfile
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

from sandbox.fleets.two_forges import TwoForges, is_by_pipeline, is_pinned
from sandbox.world import World
from tests.bench.measured import Measured
from tests.e2e.two_forges import FORGES, LOOK, Requests, Rollout, counted, settled_in

ON_EACH = 24
DAY = timedelta(days=1)
AT_FIRST = {"github": 3, "azure": 6}
"""Requests for a repository, with what builds it."""
IN_A_DAY = 2
"""Requests of an unchanged repository in Azure Repos."""
WAYS: Mapping[str, tuple[str, str, int]] = {
    "hub-request": ("github", "GitHub: a rebuild by pull request", 6),
    "hub-run": ("github", "GitHub: a rebuild by workflow", 7),
    "azure-request": ("azure", "Azure DevOps: a rebuild by pull request", 15),
    "azure-run": ("azure", "Azure DevOps: a rebuild by pipeline", 9),
}
"""By waves: whom they ask, in words, and the aim."""
REST = "rest"


def run() -> list[Measured]:
    return asyncio.run(_measured())


async def _measured() -> list[Measured]:
    async with AsyncExitStack() as exits:
        folder = Path(exits.enter_context(tempfile.TemporaryDirectory()))
        world = await exits.enter_async_context(World())
        waves = [{"name": name} for name in (*WAYS, REST)]
        rollout = await settled_in(world, folder, ON_EACH, exits, waves, _way)
        day = await _a_day(rollout)
        await rollout.roll_out()
        names = [name for name in rollout.fleet.names if name in rollout.ended_at]
        assert len(names) == 2 * ON_EACH, f"{len(names)} were rebuilt"
        assert rollout.problems == []
        return [*_seen_first(rollout.first_sight), *day, *(_way_taken(rollout, wave) for wave in WAYS)]


def _way(fleet: TwoForges, name: str) -> str:
    if name in fleet.on_github and is_by_pipeline(name):
        return REST
    return f"{'hub' if name in fleet.on_github else 'azure'}-{'request' if is_pinned(name) else 'run'}"


def _seen_first(requests: Requests) -> list[Measured]:
    return [
        _figure(f"{forge}: first sight of {ON_EACH} repositories", requests[forge] / ON_EACH, AT_FIRST[forge])
        for forge in FORGES
    ]


async def _a_day(rollout: Rollout) -> list[Measured]:
    """Looks all day long, as a service makes them."""
    traffic = rollout.stage.world.traffic
    asked = dict.fromkeys(FORGES, 0)
    of_repositories = 0
    for _ in range(DAY // LOOK + 1):
        await rollout.look()
        asked = {forge: asked[forge] + number for forge, number in counted(rollout.stage.world).items()}
        of_repositories += len(traffic.requests(service="azure", path="/git/repositories/"))
    return [
        _figure("azure: a day of an unchanged repository, of Azure Repos", of_repositories / ON_EACH, IN_A_DAY),
        *(Measured(f"{forge}: a day of {ON_EACH} unchanged repositories", f"{asked[forge]}") for forge in FORGES),
    ]


def _way_taken(rollout: Rollout, wave: str) -> Measured:
    forge, what, most = WAYS[wave]
    names = rollout.of_wave(wave)
    return _figure(what, rollout.asked_of(forge, names) / len(names), most)


def _figure(what: str, requests: float, most: float) -> Measured:
    return Measured(f"{what}, requests for each", f"{requests:.1f}", f"≤ {most}", requests <= most)
