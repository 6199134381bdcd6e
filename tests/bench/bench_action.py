"""The action over six repositories, with state, cache and summary: how long a run takes, and what it asks for.

The runs are those of a team's first hour: the first, the one after a patch, the one after the merge, and one in
which nothing moved. The sandbox answers at once; what requests cost at GitHub's own pace is put on top, one
after the other, at the 0.3 s that one takes at most as a rule.
"""

import asyncio
import tempfile
import time
from pathlib import Path

from sandbox.world import World
from tests.bench.measured import Measured
from tests.e2e.running.team import CVES, Team, TeamFleet

SECONDS = 120
_OF_A_REQUEST = 0.3


def run() -> list[Measured]:
    return asyncio.run(_runs())


async def _runs() -> list[Measured]:
    """Rows: what, measured, aim."""
    async with World() as world:
        fleet = TeamFleet(world)
        await fleet.build()
        with tempfile.TemporaryDirectory() as folder:
            team = Team(fleet, Path(folder))
            await team.set_up()
            rows = [await _one(team, "first run")]
            fleet.announce("10.0.1", security=True, cves=CVES)
            await fleet.publish_runtime("10.0.1")
            rows.append(await _one(team, "run after a patch"))
            await team.merge()
            rows.append(await _one(team, "run after the merge"))
            rows.append(await _one(team, "run in which nothing moved"))
            return rows


async def _one(team: Team, what: str) -> Measured:
    traffic = team.fleet.world.traffic
    traffic.forget()
    began = time.monotonic()
    ran = await team.run()
    seconds = time.monotonic() - began
    requests = sum(len(traffic.requests(service)) for service in ("github", "registry"))
    whole = seconds + requests * _OF_A_REQUEST
    figure = f"{seconds:.1f} s here, {requests} requests, {ran.passes} passes: {whole:.0f} s"
    return Measured(
        f"action over {len(team.fleet.repositories('10.0.0'))} repositories, {what}",
        figure,
        f"at most {SECONDS} s",
        whole <= SECONDS,
    )
