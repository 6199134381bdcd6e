"""What runs in two clusters is written to GitHub as deployment records, each change once."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from sandbox.fleets.clusters import SERVICES, FleetClusters, running
from sandbox.fleets.fleet import SampleFleet
from sandbox.world import World
from tests.e2e.staging import AheadClock, Stage, settled
from tests.migrated import new_sqlite

OWNER = "contoso"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A fleet of which two services run in two clusters, with records of that."""

    stage: Stage
    clusters: FleetClusters

    async def later(self) -> list[str]:
        """What hindered the records half an hour later."""
        self.stage.clock.ahead += timedelta(minutes=30)
        return list((await self.stage.run_pass())["recording"].problems)

    @property
    def records(self) -> dict[tuple[str, str], str]:
        """The digest of each record by cluster and name, or that it is decommissioned."""
        kept = self.stage.world.github.deployment_records.kept.get(OWNER, {})
        return {
            (cluster, name): "gone" if each["status"] == "decommissioned" else each["digest"]
            for (cluster, environment, name), each in kept.items()
            if environment == "production"
        }

    @property
    def requests(self) -> list[str]:
        return [each.path for each in self.stage.world.traffic.writes() if "deployment-record" in each.path]

    def shown(self, service: str) -> str:
        return self.stage.fleet.digests[f"{OWNER}/{service}:latest"]


@pytest.fixture
async def recorded(tmp_path: Path) -> AsyncIterator[Recorded]:
    clock = AheadClock()
    async with AsyncExitStack() as exits:
        world = await exits.enter_async_context(World(clock=clock, validate=True))
        fleet = SampleFleet(world)
        await fleet.build("10.0.0")
        clusters = await exits.enter_async_context(running(fleet, clock))
        section = {**clusters.settings(tmp_path), "deployment_records": True}
        url = new_sqlite(tmp_path / "freshness.db")
        stage = await settled(world, tmp_path, url, exits, fleet=fleet, clock=clock, running=section)
        yield Recorded(stage, clusters)
        assert world.traffic.violations == []


async def test_each_place_has_a_record_of_the_build_that_it_runs(recorded: Recorded) -> None:
    await recorded.later()
    assert recorded.records == {
        (cluster, f"shop-{name}-{name}"): recorded.shown(name) for cluster in ("east", "west") for name in SERVICES
    }


async def test_a_change_is_one_request_and_what_stays_is_none(recorded: Recorded) -> None:
    await recorded.later()
    before = recorded.records
    await recorded.later()
    assert recorded.requests == []
    recorded.clusters.roll_out("east", ["payments-api"])
    recorded.clusters.clusters["east"].remove("shop", "Deployment", "catalog-web")
    await recorded.later()
    assert recorded.requests == [f"/orgs/{OWNER}/artifacts/metadata/deployment-record/cluster/east"]
    assert recorded.records == {**before, ("east", "shop-catalog-web-catalog-web"): "gone"}


async def test_a_repository_that_cannot_be_written_to_keeps_no_other_from_its_records(recorded: Recorded) -> None:
    before = recorded.records
    for name in SERVICES:
        recorded.clusters.clusters["east"].remove("shop", "Deployment", name)
    await recorded.later()
    recorded.stage.world.github.deployment_records.unwritable.add(f"{OWNER}/payments-api")
    recorded.clusters.roll_out("east")

    refused = (
        "what runs in east is not told to contoso: {} deployment records were not taken, "
        "shop-payments-api-payments-api since it is unauthorized"
    )
    assert await recorded.later() == [refused.format("1 of 2")]
    assert recorded.records == {**before, ("east", "shop-payments-api-payments-api"): "gone"}
    assert await recorded.later() == []
    assert recorded.requests == [], "it is asked again in a day"
    recorded.stage.clock.ahead += timedelta(days=1)
    assert await recorded.later() == [refused.format("1 of 1")]
