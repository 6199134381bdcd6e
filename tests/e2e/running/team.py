"""A team of four with six repositories, and the one workflow file that `init --action` writes for it."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from bot.settings.model import ENVIRONMENT_PREFIX
from sandbox.fleets.fleet import SampleFleet
from tests.e2e.running.runner import Ran, Runner

SHOP = "payments-api"
CVES = ("CVE-2026-21218", "CVE-2026-21219")


class TeamFleet(SampleFleet):
    """The six repositories of the team; one pins a digest, builds on each push, and says which image it leaves."""

    def repositories(self, version: str) -> Mapping[str, Mapping[str, str]]:
        return {name: files for name, files in super().repositories(version).items() if name != "handbook"}


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
