"""Copies of Microsoft's images: upstream says why, the mirror says when."""

from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from bot.commands.look.explanation import read_explanation
from bot.commands.look.status import read_status
from bot.domain.bases.change import Cause
from bot.domain.evidence import ImageVerdict
from bot.domain.rollouts.rebuild import RebuildState
from bot.store.views.bases import BaseViewsStore
from sandbox.fleets.fleet import ASPNET, RUNTIME_TAG
from sandbox.fleets.mirrored import COPY, DIRECTLY, ON_COPY, ON_COPY_BY_DIGEST, MirroredFleet
from sandbox.world import World
from tests.e2e.beginnings import beginning
from tests.e2e.staging import Stage, settled


async def on_copies(world: World, folder: Path, store_url: str, exits: AsyncExitStack) -> Stage:
    fleet = MirroredFleet(world)
    return await settled(world, folder, store_url, exits, fleet=fleet, mirrors=fleet.mirrors)


mirrored = beginning(on_copies).fixture()


def fleet_of(stage: Stage) -> MirroredFleet:
    assert isinstance(stage.fleet, MirroredFleet)
    return stage.fleet


async def waits_of(stage: Stage, name: str) -> list[str]:
    explained = await read_explanation(stage.bot.settings, f"contoso/{name}", stage.clock)
    return [late.told(stage.clock.now()) for late in explained.behind]


@pytest.mark.long
async def test_whoever_builds_on_a_mirror_waits_until_it_shows_what_upstream_published(mirrored: Stage) -> None:
    fleet = fleet_of(mirrored)
    old = fleet.images[f"{ASPNET}:{RUNTIME_TAG}"]
    pushed = await fleet.publish_runtime("10.0.1")
    fleet.announce("10.0.1", security=True, cves=("CVE-2026-21218",))
    await mirrored.run_pass()
    assert mirrored.world.github.runs(DIRECTLY) != []
    assert mirrored.world.github.runs(ON_COPY) == []
    mirrored.clock.ahead += timedelta(minutes=40)
    outcome = (await mirrored.run_pass())["watch"]
    assert outcome.figures["asked"] == 2
    [told] = await waits_of(mirrored, ON_COPY)
    shown = pushed.digest[:19]
    place = f"{fleet.registry}/mcr"
    assert told.startswith(f"waits for {place} to show {shown} of aspnet:{RUNTIME_TAG}, 40")
    assert told.endswith(f" min behind {fleet.registry}")
    await fleet.copy()
    await mirrored.run_pass()
    await mirrored.run_pass()
    assert await waits_of(mirrored, ON_COPY) == []
    [(change, _)] = await mirrored.bot.stores[BaseViewsStore].changes_of(f"{fleet.registry}/{COPY}:{RUNTIME_TAG}")
    assert (change.cause, change.cves) == (Cause.DOTNET_SECURITY, ("CVE-2026-21218",))
    rebuilds = await mirrored.rebuilds()
    assert rebuilds[ON_COPY_BY_DIGEST].replacements[0].new.digest == pushed.digest
    assert rebuilds[DIRECTLY].rollout == rebuilds[ON_COPY].rollout
    [run] = mirrored.world.github.runs(ON_COPY)
    mirrored.world.github.finish_run(run.id)
    await mirrored.run_pass()
    ended = (await mirrored.rebuilds())[ON_COPY]
    assert (ended.state, ended.proof) == (RebuildState.SUCCEEDED, ImageVerdict.PROVED)
    await fleet.copy(old)
    for _ in range(3):
        await mirrored.run_pass()
    assert len(mirrored.world.github.runs(ON_COPY)) == 1
    status = await read_status(mirrored.bot.settings, mirrored.clock)
    [mirror] = [base.mirror for base in status.bases if base.mirror is not None]
    assert mirror.older is not None
