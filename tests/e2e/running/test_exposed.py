"""A CVE from the day on which it is published until what fixes it runs in two clusters, and what is told of it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.domain.running.exposure import Asked
from bot.store.pages.running.answering import exposure_of
from bot.views.running.exposed import ExposureAnswer, Narrowed, mover_of
from sandbox.fleets.clusters import SERVICES, FleetClusters, running
from sandbox.fleets.fleet import SampleFleet
from sandbox.world import World
from tests.e2e.staging import AheadClock, Stage, settled
from tests.migrated import new_sqlite

CVE = "CVE-2026-21218"
DAY, HALF_A_DAY = timedelta(days=1), timedelta(hours=12)
PACK = "Microsoft.NETCore.App.Runtime.linux-x64"
NOBODY = Narrowed()


@dataclass(frozen=True, slots=True)
class Watched:
    """A fleet of which two services run in two clusters."""

    stage: Stage
    clusters: FleetClusters

    async def later(self, by: timedelta = DAY) -> datetime:
        """The time by which the bot has looked at everything again."""
        self.stage.clock.ahead += by
        for _ in range(2):
            outcomes = await self.stage.run_pass()
            assert outcomes["running"].problems == []
        return self.stage.clock.now()

    async def ask(self, at: datetime | None = None) -> ExposureAnswer:
        asked = Asked(at or self.stage.clock.now())
        return await exposure_of(self.stage.bot.stores, CVE, asked, NOBODY)

    async def told(self, at: datetime | None = None) -> tuple[str, int]:
        """The answer in one line, and the exit code."""
        answer = await self.ask(at)
        return answer.verdict, answer.exit_code

    async def stuck(self) -> set[str]:
        """Why the exposed places are so still."""
        answer = await self.ask()
        return {mover.says for each in answer.places if (mover := mover_of(answer, each)) is not None}

    async def patch(self) -> str:
        """The day on which a CVE and its fix are published, half of one later."""
        self.stage.clock.ahead += HALF_A_DAY
        day = f"{self.stage.clock.now():%Y-%m-%d}"
        fleet, feeds = self.stage.fleet, self.stage.world.feeds
        await fleet.publish_runtime("10.0.1")
        await fleet.publish_sdk("10.0.1")
        fleet.announce("10.0.1", security=True, cves=(CVE,))
        affected = {"affected": ">= 10.0.0, < 10.0.1", "patched": "10.0.1"}
        feeds.publish_advisory(CVE, severity="high", package=PACK, **affected)
        return day

    async def build(self) -> None:
        """The one pull request is merged, and every run ends."""
        github = self.stage.world.github
        [request] = await github.pull_requests("payments-api")
        await github.merge("payments-api", request["number"])
        for run in github.runs():
            github.finish_run(run.id)


@pytest.fixture
async def watched(tmp_path: Path) -> AsyncIterator[Watched]:
    clock = AheadClock()
    async with AsyncExitStack() as exits:
        world = await exits.enter_async_context(World(clock=clock, validate=True))
        fleet = SampleFleet(world)
        await fleet.build("10.0.0")
        clusters = await exits.enter_async_context(running(fleet, clock))
        section = clusters.settings(tmp_path, stale_after="2d")
        feeds = world.feeds
        feeds.publish_ubuntu_cve("CVE-2026-31790", "curl", severity="high")
        read = {"ubuntu": {"url": feeds.dump_address("Ubuntu")}, "nuget": {"api": feeds.url}}
        url = new_sqlite(tmp_path / "freshness.db")
        stage = await settled(
            world, tmp_path, url, exits, fleet=fleet, clock=clock, running=section, vulnerabilities=read
        )
        yield Watched(stage, clusters)
        assert world.traffic.violations == []


@pytest.mark.long
async def test_of_each_moment_it_is_told_what_ran_then(watched: Watched) -> None:
    before = await watched.later()
    would = "vulnerabilities.debian, vulnerabilities.alpine, vulnerabilities.azure_linux"
    assert await watched.told() == (f"not known: no source that is read tells of it; these would: {would}", 3)

    day = await watched.patch()
    published = await watched.later(HALF_A_DAY)
    everywhere = f"exposed in 4 of 4 running places since {day}"
    assert await watched.told() == (f"{everywhere} (0 days); 0 not affected", 1)
    assert await watched.stuck() == {
        f"image not rebuilt: contoso/{name} has not rebuilt its image" for name in SERVICES
    }

    await watched.build()
    built = await watched.later()
    assert await watched.told() == (f"{everywhere} (1 day); 0 not affected", 1)
    assert await watched.stuck() == {
        f"not rolled out: older builds run at shop/{name} in east, shop/{name} in west" for name in SERVICES
    }

    watched.clusters.roll_out("east")
    half = await watched.later()
    in_half = (
        everywhere.replace("4 of", "2 of")
        + f" (2 days); 2 not affected, of these 2 were exposed until {half:%Y-%m-%d}"
    )
    assert await watched.told() == (in_half, 1)

    watched.clusters.roll_out("west")
    after = await watched.later()
    over = f"not exposed: none of 4 has it; of these 4 were exposed until {after:%Y-%m-%d}"
    print((await watched.ask()).gaps)
    assert await watched.told() == (over, 0)

    assert await watched.told(before) == ("not exposed: none of 4 has it", 0)
    assert await watched.told(published) == (f"{everywhere} (0 days); 0 not affected", 1)
    assert await watched.told(built) == (f"{everywhere} (1 day); 0 not affected", 1)
    assert await watched.told(half) == (in_half, 1)
