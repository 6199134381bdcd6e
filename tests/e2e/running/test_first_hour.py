"""The first hour of a team of four: six repositories, an App, and the one file that `init --action` writes."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from bot.settings.model import ENVIRONMENT_PREFIX
from sandbox.fleets.fleet import SampleFleet
from sandbox.world import World
from tests.e2e.running.runner import Ran, Runner

SHOP = "payments-api"
CVES = ("CVE-2026-21218", "CVE-2026-21219")


class TeamFleet(SampleFleet):
    """The six repositories of the team; one pins a digest, builds on each push, and says which image it leaves."""

    def repositories(self, version: str) -> Mapping[str, Mapping[str, str]]:
        return {name: files for name, files in super().repositories(version).items() if name != "handbook"}


@pytest.fixture
async def fleet(world: World) -> SampleFleet:
    fleet = TeamFleet(world)
    await fleet.build()
    return fleet


class Team:
    """What the people of the team do."""

    def __init__(self, fleet: SampleFleet, folder: Path) -> None:
        github = fleet.world.github
        self.fleet, self.checkout = fleet, folder / "freshness"
        self.checkout.mkdir()
        self.runner = Runner(folder, github.url, f"{github.name}/freshness", github.token)
        self.runner.environment = played(fleet)

    async def set_up(self) -> None:
        """Somebody writes the workflow file, and commits it to a private repository of its own."""
        command = (Path(sys.executable).parent / "freshness-bot", "init", "--action", "--app", "1")
        subprocess.run(command, cwd=self.checkout, check=True, capture_output=True)
        path = ".github/workflows/freshness.yml"
        self.workflow = (self.checkout / path).read_text()
        await self.fleet.world.github.create_repository("freshness", {path: self.workflow}, private=True)

    async def run(self) -> Ran:
        """The schedule comes round."""
        github = self.fleet.world.github
        known = {
            "vars.FRESHNESS_APP_ID": str(github.app_id),
            "secrets.FRESHNESS_APP_KEY": github.private_key,
        }
        ran = await self.runner.run_workflow(self.workflow, known)
        assert ran.code == 0, ran.log
        assert "Needs attention" not in ran.summary, ran.summary
        return ran

    async def merge(self) -> None:
        """The checks of the pull request are green, somebody merges it, and the build of that ends well."""
        github = self.fleet.world.github
        [request] = await github.pull_requests(SHOP)
        github.report_check(SHOP, request["head"]["sha"], "build", "success")
        await github.merge(SHOP, request["number"])
        for run in github.runs(SHOP):
            github.finish_run(run.id)

    async def kept_kilobytes(self) -> float:
        """How large the database is that the state's branch has."""
        github = self.fleet.world.github
        tree = await github.ask("GET", f"/repos/{github.name}/freshness/git/trees/freshness-bot-state")
        [size] = [row["size"] for row in tree["tree"] if row["path"] == "freshness.db.xz"]
        return float(size) / 1_000


def played(fleet: SampleFleet) -> dict[str, str]:
    """Where registry and feeds are played, since the workflow file names none; and nothing settles."""
    world = fleet.world
    sections = {
        "REGISTRIES": {world.registry.host: {"insecure": True}},
        "BASES": [f"{world.registry.host}/dotnet/*"],
        "FEEDS": {name: {"url": url} for name, url in world.feeds.addresses.items()},
        "POLICY": [{"settle": "0s"}],
        "GITHUB__SECONDS_BETWEEN_WRITES": 0,
    }
    return {f"{ENVIRONMENT_PREFIX}{name}": json.dumps(section) for name, section in sections.items()}


@pytest.mark.long
async def test_from_an_empty_state_to_an_image_that_is_proved_with_the_one_file(
    fleet: SampleFleet, tmp_path: Path
) -> None:
    team = Team(fleet, tmp_path)
    await team.set_up()
    first = await team.run()
    assert first.summary.startswith("## 2 of 5 repositories on 2 bases stand on what their bases show\n")
    assert "not read, since no image has packages of it: Debian" in first.summary
    assert "the other 9 are there" in section(first, "Rights")
    assert (first.outputs["moved"], first.outputs["pull-requests"], first.outputs["state"]) == ("0", "0", "kept")

    fleet.announce("10.0.1", security=True, cves=CVES)
    await fleet.publish_runtime("10.0.1")
    second = await team.run()
    assert "aspnet:10.0-noble-chiseled: .NET 10.0.0 → 10.0.1 fixes 2 CVEs" in section(second, "Moved in this run")
    assert "/contoso/payments-api/pull/1) | open | " in section(second, "Under way")
    behind = section(second, "Behind what their bases show")
    assert "10.0.0 → 10.0.1: 1 security release, 2 CVEs, oldest fix out for " in behind
    assert f" ({', '.join(CVES)})\n" in behind
    assert "the run before was" in second.summary
    assert second.outputs["moved"] == "1"

    await team.merge()
    third = await team.run()
    [ended] = [line for line in section(third, "Ended in this run").splitlines() if SHOP in line]
    assert "| succeeded | " in ended
    assert f"{SHOP}:latest stands on aspnet:10.0-noble-chiseled" in ended
    assert "current, proved by 2 layers" in ended
    assert SHOP not in section(third, "Under way")
    assert third.outputs["moved"] == "0"

    fourth = await team.run()
    assert "Moved in this run" not in fourth.summary
    assert "Ended in this run" not in fourth.summary
    assert f"[contoso/{SHOP}]" in section(fourth, "Repositories")
    assert await team.kept_kilobytes() < 100


def section(ran: Ran, title: str) -> str:
    """What the summary says under a heading."""
    return ran.summary.partition(f"### {title}\n")[2].partition("\n### ")[0]
