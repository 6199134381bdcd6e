"""Artifacts as GitHub hands them over: an address that holds for a minute, at a store that is shown no token."""

from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from bot.clients.forges.github import GitHub, GitHubAccess, TokenCredentials
from bot.clients.http.client import HostRules, Http
from bot.domain.clock import SystemClock
from bot.domain.failure import Failure, Trouble
from bot.domain.repositories.repository import Identity
from bot.fleet.verify.reports.wired import BuilderArtifacts
from sandbox.world import World

WORKFLOW = "on: {workflow_dispatch: {}}\njobs: {build: {runs-on: x, steps: [{run: make}]}}\n"


async def test_an_archive_is_fetched_in_three_requests_and_checked(shared_world: World) -> None:
    world = shared_world
    world.traffic.forget()
    name = await world.github.create_repository("scanned", {".github/workflows/build.yml": WORKFLOW})
    access = GitHubAccess(world.github.url, TokenCredentials(world.github.token), seconds_between_writes=0)
    rules = {urlsplit(world.github.url).netloc: HostRules(insecure=True)}
    github, shop = GitHub(access, SystemClock()), Identity(name, None)
    try:
        run = await github.dispatch(shop, "build.yml", ref="main", inputs={})
        assert run is not None
        kept = world.github.artifacts.leave(run, "trivy", {"report.json": b"{}"})
        world.traffic.forget()
        async with Http(hosts=rules) as http:
            artifacts = BuilderArtifacts(github, http)
            [shown] = await artifacts.artifacts_of(shop, run)
            assert await artifacts.fetched(shop, shown, 10_000) == kept.archive
            assert len(world.traffic.requests("github")) == 3
            with pytest.raises(Failure) as failed:
                await artifacts.fetched(shop, replace(shown, digest=f"sha256:{'0' * 64}"), 10_000)
            assert failed.value.trouble is Trouble.MALFORMED
            with pytest.raises(Failure) as failed:
                await artifacts.fetched(shop, shown, 10)
            assert failed.value.trouble is Trouble.MALFORMED
            assert "sig=" not in str(failed.value)
            world.github.edge.storage.clear()
            kept.has_expired = True
            with pytest.raises(Failure) as failed:
                await artifacts.fetched(shop, shown, 10_000)
            assert (failed.value.trouble, failed.value.status) == (Trouble.MISSING, 410)
    finally:
        await github.close()
    assert world.traffic.violations == []
