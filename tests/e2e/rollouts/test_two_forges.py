"""One rollout in waves over repositories on GitHub and in Azure Repos ends with each rebuilt once, and proved."""

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bot.domain.rollouts.rebuild import RebuildState
from sandbox.fleets.two_forges import is_pinned
from sandbox.world import World
from tests.e2e.two_forges import SOAK, settled_in

ON_EACH = 200
MOST_ASKED = {"github": 8, "azure": 20}
"""Requests for each rebuild, with all that is looked at beside it while the rollout lasts."""


@pytest.mark.long
async def test_each_repository_of_both_forges_is_rebuilt_once_in_its_wave_and_proved(
    world: World, tmp_path: Path
) -> None:
    async with AsyncExitStack() as exits:
        rollout = await settled_in(world, tmp_path, ON_EACH, exits)
        await rollout.roll_out()
        names = rollout.fleet.names

        assert rollout.problems == []
        assert {(each.repository.rpartition("/")[2], each.state) for each in rollout.rebuilds} == {
            (name, RebuildState.SUCCEEDED) for name in names
        }
        assert len(rollout.rebuilds) == len(names)
        assert await rollout.proved() == set(names)
        assert {name: rollout.builds_of(name) for name in names} == dict.fromkeys(names, 1)
        requests = {name: await rollout.requests_of(name) for name in names}
        assert requests == {name: int(is_pinned(name)) for name in names}
        for before, after in (("canary", "early"), ("early", "rest")):
            ended = max(rollout.ended_at[name] for name in rollout.of_wave(before))
            assert min(rollout.begun_at[name] for name in rollout.of_wave(after)) >= ended + SOAK
        for forge, most in MOST_ASKED.items():
            assert rollout.asked_of(forge, names) <= most * ON_EACH
