"""The gate: a new base that brings a vulnerability with a fix holds its rebuild back, until that is accepted."""

from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.images.verdict import ImageVerdict
from bot.domain.packages.gate import GateOutcome
from bot.domain.rollouts.journal import Word
from bot.domain.rollouts.rebuild import State
from bot.settings.sections.gate import GateExceptionSettings
from sandbox.world import World
from tests.e2e.conftest import Stage, settled

CVE = "CVE-2026-1002"
SHOP = "catalog-web"


def publish(world: World) -> None:
    """Ubuntu says that what the new base brings has it, and what fixes it."""
    events = [{"introduced": "3.0.13-0ubuntu3.2"}, {"fixed": "3.0.13-0ubuntu3.3"}]
    affected = {
        "package": {"ecosystem": "Ubuntu:24.04:LTS", "name": "openssl"},
        "ranges": [{"type": "ECOSYSTEM", "events": events}],
    }
    rated = [{"type": "Ubuntu", "score": "high"}]
    world.feeds.publish_vulnerability("NuGet", {"id": "GHSA-0000", "affected": []})
    world.feeds.publish_vulnerability("Ubuntu", {"id": f"UBUNTU-{CVE}", "severity": rated, "affected": [affected]})


async def built(stage: Stage) -> None:
    """The run of the rebuild is green, and what it pushed is looked at until the gate can tell."""
    for run in stage.world.github.runs(SHOP):
        stage.world.github.finish_run(run.id)
    for _ in range(3):
        await stage.run_pass()
        stage.clock.ahead += timedelta(minutes=3)


@pytest.mark.long
async def test_a_rebuild_that_brings_a_high_with_a_fix_is_held_back_until_it_is_accepted(
    world: World, tmp_path: Path
) -> None:
    publish(world)
    async with AsyncExitStack() as exits:
        stage = await settled(
            world,
            tmp_path,
            f"sqlite:///{tmp_path}/freshness.db",
            exits,
            vulnerabilities={
                "ubuntu": {"url": world.feeds.dump_address("Ubuntu")},
                "nuget": {"url": world.feeds.dump_address("NuGet")},
            },
            gate={"rules": [{"match": ["*/contoso/*"]}]},
        )
        for _ in range(2):
            stage.clock.ahead += timedelta(minutes=3)
            await stage.run_pass()
        [view] = [each for each in await stage.bot.stores.images.views() if each.image.claim.name.endswith(SHOP)]
        assert view.gate is not None
        assert (view.gate.outcome, view.gate.told) == (GateOutcome.PASSED, "nothing that blocks")

        await stage.fleet.publish_runtime("10.0.1", os=b"noble 2")
        await stage.run_pass()
        await built(stage)
        rebuild = (await stage.rebuilds())[SHOP]
        assert (rebuild.state, rebuild.proof) == (State.FAILED, ImageVerdict.PROVED)
        assert rebuild.reason == (
            f"built, but the gate holds it back: {CVE} (HIGH) in libssl3t64 3.0.13-0ubuntu3.2, "
            "fixed in 3.0.13-0ubuntu3.3"
        )

        accepted = GateExceptionSettings(
            cve=CVE, match=[f"*/{SHOP}"], reason="not reachable", until=stage.clock.now() + timedelta(days=30)
        )
        gate = stage.bot.settings.gate.model_copy(update={"exceptions": [accepted]})
        settings = stage.bot.settings.model_copy(update={"gate": gate})
        stage = Stage(stage.fleet, replace(stage.bot, settings=settings), stage.clock)
        await stage.bot.stores.orders.retry(f"contoso/{SHOP}", Word("Ann", "accepted"))
        await stage.run_pass()
        await built(stage)
        rebuild = (await stage.rebuilds())[SHOP]
        assert (rebuild.state, rebuild.proof) == (State.SUCCEEDED, ImageVerdict.PROVED)
        [view] = [each for each in await stage.bot.stores.images.views() if each.image.claim.name.endswith(SHOP)]
        assert view.gate is not None
        assert view.gate.told == "nothing that blocks, 1 accepted"
