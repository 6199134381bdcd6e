"""Findings reach code scanning where that is wished and licensed, and nobody else is asked."""

import json
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

from bot.store.views.fleet import FleetViewsStore
from sandbox.fleets.bare_repository import bare_files
from sandbox.fleets.fleet import SampleFleet
from sandbox.world import World
from tests.e2e.beginnings import beginning
from tests.e2e.staging import Stage, settled

SHOP, CART, WEB = "shop", "cart", "web"
SCANS = "/code-scanning/"


class ScannedFleet(SampleFleet):
    """Three repositories in which much fails; code scanning is licensed for one."""

    async def build(self, version: str = "10.0.0") -> None:
        self.world.github.code_scanning.enabled.add(f"contoso/{SHOP}")
        await super().build(version)

    def repositories(self, version: str) -> dict[str, dict[str, str]]:
        texts = {path: text.decode() for path, text in bare_files().items()}
        return {name: dict(texts) for name in (SHOP, CART, WEB)}


async def scanned(world: World, folder: Path, store_url: str, exits: AsyncExitStack) -> Stage:
    wishes = {"code_scanning": [f"contoso/{SHOP}", f"contoso/{CART}"]}
    return await settled(world, folder, store_url, exits, fleet=ScannedFleet(world), audit=wishes)


stage = beginning(scanned).fixture()


def asked(stage: Stage) -> list[tuple[str, str]]:
    """The requests of the last pass that are about code scanning: method and repository."""
    found = stage.world.traffic.requests("github", path=SCANS)
    return [(request.method, request.path.partition(SCANS)[0].rpartition("/")[2]) for request in found]


async def next_pass(stage: Stage) -> list[str]:
    """A pass an hour later; what it told of code scanning."""
    stage.clock.ahead += timedelta(hours=1)
    return (await stage.run_pass())["code scanning"].problems


async def test_findings_are_uploaded_by_policy_once_for_what_is_found(stage: Stage) -> None:
    github = stage.world.github
    uploads = github.code_scanning.uploads
    # The first pass has uploaded them for the commit that they are of; the one who was not wished for is not asked.
    ((commit, ref, log),) = uploads[f"contoso/{SHOP}"]
    assert (commit, ref) == (await github.head(SHOP), "refs/heads/main")
    assert "base-pinned" in {each["ruleId"] for each in log["runs"][0]["results"]}
    assert set(uploads) == {f"contoso/{SHOP}"}

    # Where it is not licensed, it is told once for the owner, and not tried again within a week.
    (incident,) = (await stage.bot.stores[FleetViewsStore].status()).incidents
    assert incident.subject == "code-scanning:contoso"
    assert "must be switched on and licensed" in incident.detail

    # What has not changed is not uploaded again: it is asked once whether the upload was taken in, then nothing.
    assert await next_pass(stage) == []
    assert asked(stage) == [("GET", SHOP)]
    assert await next_pass(stage) == []
    assert asked(stage) == []

    # What a push changes is; what holds by then is in the log no more, which closes its alert.
    await github.push(SHOP, {"Dockerfile": "FROM mcr.microsoft.com/dotnet/aspnet:8.0\nCOPY app /app\n"})
    await next_pass(stage)
    assert await next_pass(stage) == []
    assert len(uploads[f"contoso/{SHOP}"]) == 2
    commit, _, log = uploads[f"contoso/{SHOP}"][-1]
    assert commit == await github.head(SHOP)
    assert "base-pinned" not in json.dumps([each["ruleId"] for each in log["runs"][0]["results"]])
