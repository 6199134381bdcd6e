"""The gate: a new base that brings a vulnerability with a fix holds its rebuild back, until that is accepted."""

from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.evidence import ImageVerdict
from bot.domain.packages.gate import GateOutcome
from bot.domain.rollouts.journal import Word
from bot.domain.rollouts.rebuild import RebuildState
from bot.settings.sections.gate import GateExceptionSettings
from bot.store.orders.orders import OrdersStore
from bot.store.views.images import ImageViewsStore
from sandbox.github.actions.runs import Run
from sandbox.world import World
from tests.e2e.staging import Stage, settled

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
    publish_of_others(world, "NuGet", "GHSA-0000")
    world.feeds.publish_vulnerability("Ubuntu", {"id": f"UBUNTU-{CVE}", "severity": rated, "affected": [affected]})


def publish_nothing(world: World) -> None:
    """The dumps are read, and nothing in them concerns what the fleet holds."""
    publish_of_others(world, "NuGet", "GHSA-0000")
    publish_of_others(world, "Ubuntu:24.04:LTS", "UBUNTU-CVE-2026-1")


def publish_of_others(world: World, release: str, name: str) -> None:
    """A record of a package that nobody holds."""
    affected = {"package": {"ecosystem": release, "name": "nobodys"}}
    world.feeds.publish_vulnerability(release.partition(":")[0], {"id": name, "affected": [affected]})


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
        [view] = [
            each for each in await stage.bot.stores[ImageViewsStore].views() if each.image.claim.name.endswith(SHOP)
        ]
        assert view.gate is not None
        assert (view.gate.outcome, view.gate.told) == (GateOutcome.PASSED, "nothing that blocks")

        await stage.fleet.publish_runtime("10.0.1", os=b"noble 2")
        await stage.run_pass()
        await built(stage)
        rebuild = (await stage.rebuilds())[SHOP]
        assert (rebuild.state, rebuild.proof) == (RebuildState.FAILED, ImageVerdict.PROVED)
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
        await stage.bot.stores[OrdersStore].retry(f"contoso/{SHOP}", Word("Ann", "accepted"))
        await stage.run_pass()
        await built(stage)
        rebuild = (await stage.rebuilds())[SHOP]
        assert (rebuild.state, rebuild.proof) == (RebuildState.SUCCEEDED, ImageVerdict.PROVED)
        [view] = [
            each for each in await stage.bot.stores[ImageViewsStore].views() if each.image.claim.name.endswith(SHOP)
        ]
        assert view.gate is not None
        assert view.gate.told == "nothing that blocks, 1 accepted"


DEPLOY = (
    "on: {workflow_dispatch: {inputs: {correlation: {required: true}}}}\njobs: {deploy: {runs-on: ubuntu-latest}}\n"
)
STEPS = ({"name": "staging", "workflow": "deploy.yml"}, {"name": "production", "workflow": "deploy.yml"})


def deployments(stage: Stage) -> list[Run]:
    return [run for run in stage.world.github.runs(SHOP) if run.workflow.path.endswith("/deploy.yml")]


@pytest.mark.long
async def test_a_step_is_held_back_by_what_became_known_since_the_step_before(world: World, tmp_path: Path) -> None:
    publish_nothing(world)
    async with AsyncExitStack() as exits:
        stage = await settled(
            world,
            tmp_path,
            f"sqlite:///{tmp_path}/freshness.db",
            exits,
            policy=[
                {"match": {"repositories": [f"contoso/{SHOP}"]}, "settle": "0s", "steps": list(STEPS)},
                {"settle": "0s"},
            ],
            vulnerabilities={
                "ubuntu": {"url": world.feeds.dump_address("Ubuntu")},
                "nuget": {"url": world.feeds.dump_address("NuGet")},
            },
            gate={"rules": [{"match": ["*/contoso/*"], "counts": "all"}]},
        )
        await world.github.push(SHOP, {".github/workflows/deploy.yml": DEPLOY})
        await stage.run_pass()
        await stage.fleet.publish_runtime("10.0.1", os=b"noble 2")
        await stage.run_pass()
        await built(stage)
        [staging] = deployments(stage)
        publish(world)
        stage.clock.ahead += timedelta(hours=1)
        await stage.run_pass()
        world.github.finish_run(staging.id)
        for _ in range(3):
            await stage.run_pass()
            stage.clock.ahead += timedelta(minutes=3)
        assert len(deployments(stage)) == 1
        rebuild = (await stage.rebuilds())[SHOP]
        assert rebuild.state is RebuildState.FAILED
        assert f"not started: the gate holds it back: {CVE} (HIGH) in libssl3t64" in rebuild.reason


@pytest.mark.long
async def test_what_the_gate_cannot_tell_is_waited_for_and_ends_as_built(world: World, tmp_path: Path) -> None:
    async with AsyncExitStack() as exits:
        stage = await settled(
            world,
            tmp_path,
            f"sqlite:///{tmp_path}/freshness.db",
            exits,
            gate={"rules": [{"match": ["*/contoso/*"]}], "wait": "30m"},
        )
        await stage.fleet.publish_runtime("10.0.1", os=b"noble 2")
        await stage.run_pass()
        await built(stage)
        rebuild = (await stage.rebuilds())[SHOP]
        assert rebuild.state is RebuildState.PROVING
        assert "the gate cannot tell: no CVE data of Ubuntu is read" in rebuild.reason
        stage.clock.ahead += timedelta(minutes=31)
        await stage.run_pass()
        rebuild = (await stage.rebuilds())[SHOP]
        assert rebuild.state is RebuildState.BUILT
        assert rebuild.reason.startswith("built, but the gate cannot tell: no CVE data of Ubuntu is read")
