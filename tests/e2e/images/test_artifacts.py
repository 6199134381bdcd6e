"""A report that a workflow leaves behind: it is fetched once its run has ended, and holds the rebuild back."""

import json
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.packages.gate import GateOutcome
from bot.domain.reference import Base
from bot.domain.rollouts.rebuild import RebuildState
from bot.fleet.verify.reports.rows.scan_reports import ScanReportsStore
from bot.store.views.images import ImageViewsStore
from sandbox.world import World
from tests.e2e.staging import settled

SHOP = "catalog-web"


def trivy(digest: str) -> bytes:
    found = {
        "VulnerabilityID": "CVE-2026-7",
        "PkgName": "app",
        "InstalledVersion": "1",
        "FixedVersion": "2",
        "Status": "fixed",
        "Severity": "CRITICAL",
    }
    results = [{"Target": "app.deps.json", "Class": "lang-pkgs", "Vulnerabilities": [found]}]
    named = {"RepoDigests": [f"registry.example/contoso/{SHOP}@{digest}"]}
    return json.dumps({"SchemaVersion": 2, "Results": results, "Metadata": named}).encode()


@pytest.mark.long
async def test_a_rebuild_is_held_back_by_the_report_that_its_own_workflow_left_behind(
    world: World, tmp_path: Path
) -> None:
    async with AsyncExitStack() as exits:
        stage = await settled(
            world,
            tmp_path,
            f"sqlite:///{tmp_path}/freshness.db",
            exits,
            gate={"rules": [{"match": [f"*/contoso/{SHOP}"], "counts": "all", "report": "enough"}]},
            reports={"artifacts": ["trivy-*"]},
        )
        await stage.fleet.publish_runtime("10.0.1", os=b"noble 2")
        await stage.run_pass()
        [view] = [
            each for each in await stage.bot.stores[ImageViewsStore].views() if each.image.claim.name.endswith(SHOP)
        ]
        claim = view.image.claim
        for run in world.github.runs(SHOP):
            world.github.finish_run(run.id)
            place = Base(claim.registry, claim.repository, view.image.found_tag or "latest")
            pushed = await stage.bot.registry.head(place)
            world.github.artifacts.leave(run.id, "trivy-report", {"report.json": trivy(pushed.digest)})
            world.github.artifacts.leave(run.id, "coverage", b"not asked for")
        for _ in range(3):
            await stage.run_pass()
            stage.clock.ahead += timedelta(minutes=3)
        rebuild = (await stage.rebuilds())[SHOP]
        assert rebuild.state is RebuildState.FAILED
        assert rebuild.reason == "built, but the gate holds it back: CVE-2026-7 (CRITICAL) in app 1, fixed in 2"
        [kept] = (await stage.bot.stores[ScanReportsStore].all_about(pushed.digest)).kept
        assert kept.scan.place.endswith(", trivy-report/report.json")
        [view] = [
            each for each in await stage.bot.stores[ImageViewsStore].views() if each.image.claim.name.endswith(SHOP)
        ]
        assert view.gate is not None
        assert view.gate.outcome is GateOutcome.BLOCKED
        assert world.traffic.violations == []
