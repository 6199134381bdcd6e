"""One CVE of the distribution, stuck at each of its six clocks in turn, and places that cannot be told."""

from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.packages.ledger.clocks import Passage, Station
from bot.store.pages.ledger.ledger import LedgerStore
from bot.views.images.ledger import LedgerRow, StationRow
from bot.views.paging import Cut
from sandbox.fleets.golden import GOLDEN
from sandbox.fleets.mirrored_golden import MirroredGoldenFleet
from sandbox.world import World
from tests.e2e.staging import Stage, settled
from tests.migrated import new_sqlite

CVE = "CVE-2026-1001"
SERVICE = "service-00"


async def ledger(stage: Stage) -> dict[str, LedgerRow]:
    """Each image with its clocks, by the repository that produces it, after what happened was looked at."""
    for _ in range(2):
        outcomes = await stage.run_pass()
        assert outcomes["vulnerabilities"].problems == []
    stage.clock.ahead += timedelta(minutes=1)
    found = await stage.bot.stores[LedgerStore].cve(CVE, Cut())
    assert found is not None
    return {row.repository.rpartition("/")[2]: row for row in found.images.items}


def told(row: LedgerRow) -> tuple[str, str]:
    return row.state, row.who.rpartition("/")[2]


def clock_of(row: LedgerRow, station: Station) -> StationRow:
    return next(clock for clock in row.clocks if clock.station is station)


@pytest.mark.long
async def test_a_fix_is_followed_from_the_distribution_to_what_manifests_name(world: World, tmp_path: Path) -> None:
    fleet = MirroredGoldenFleet(world, services=1)
    world.feeds.publish_ubuntu_cve(CVE, "openssl", severity="high")
    async with AsyncExitStack() as exits:
        stage = await settled(
            world,
            tmp_path,
            new_sqlite(tmp_path / "freshness.db"),
            exits,
            fleet=fleet,
            policy=[{"action": "notify"}],
            vulnerabilities={"ubuntu": {"url": world.feeds.dump_address("Ubuntu")}},
            mirrors=fleet.mirrors,
        )
        pinned = fleet.push_image(SERVICE, "pinned in production").digest
        manifest = (
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec: {{containers: [{{name: a, image: {}}}]}}\n"
        )
        await world.github.create_repository(
            "deploy",
            {
                "prod.yaml": manifest.format(f"{fleet.own(SERVICE)}@{pinned}"),
                "other.yaml": manifest.format(f"{fleet.own(GOLDEN)}:some-other-tag"),
            },
        )
        rows = await ledger(stage)
        assert {told(row) for row in rows.values()} == {("no fix yet", "Ubuntu")}
        assert rows.keys() >= {GOLDEN, SERVICE}

        world.feeds.publish_ubuntu_cve(CVE, "openssl", severity="high", fixed="3.0.13-0ubuntu3.2")
        rows = await ledger(stage)
        assert {row.waits_at for row in rows.values()} == {Station.BASE}
        assert "has not rebuilt" in rows[SERVICE].says

        await fleet.publish_runtime("10.0.0", os=b"noble 2")
        rows = await ledger(stage)
        on_copy = {name: row for name, row in rows.items() if name in (GOLDEN, SERVICE)}
        assert {row.state for row in on_copy.values()} == {"mirror behind"}
        assert {row.who for row in on_copy.values()} == {f"whoever fills {fleet.registry}/mcr"}

        await fleet.copy()
        rows = await ledger(stage)
        assert told(rows[GOLDEN]) == ("image not rebuilt", GOLDEN)
        assert told(rows[SERVICE]) == ("own base not rebuilt", GOLDEN)

        fleet.push_image(GOLDEN, "on the new base")
        rows = await ledger(stage)
        assert told(rows[SERVICE]) == ("image not rebuilt", SERVICE)
        clock = clock_of(rows[SERVICE], Station.IMAGE)
        assert clock.elsewhere is not None, "the golden image has passed it"
        assert clock.elsewhere.times == 1
        assert (rows[GOLDEN].cannot_tell, rows[GOLDEN].says) == (
            True,
            f"it cannot be told what is named at {world.github.name}/deploy/other.yaml:4",
        )
        assert told(rows[GOLDEN]) == ("cannot be told", "deploy")

        fleet.push_image(SERVICE, "on the new golden image")
        rows = await ledger(stage)
        assert told(rows[SERVICE]) == ("not deployed", "deploy")
        times = [clock.at for clock in rows[SERVICE].clocks if clock.at is not None]
        assert len(times) == 5
        assert times == sorted(times)
        listed = await stage.bot.stores[LedgerStore].cves(Cut())
        [row] = listed.cves.items
        assert (row.cve, row.severity, row.rated_by) == (CVE, "high", "Ubuntu")
        assert listed.at is not None
        assert listed.at < stage.clock.now() - timedelta(seconds=30), "kept in the pass, not worked out for this"

        built = fleet.digests[f"{world.github.name}/{SERVICE}:latest"]
        await world.github.push("deploy", {"prod.yaml": manifest.format(f"{fleet.own(SERVICE)}@{built}")})
        rows = await ledger(stage)
        assert rows[SERVICE].state == "fixed"
        assert {clock.passage for clock in rows[SERVICE].clocks[:6]} == {Passage.PASSED}
        assert clock_of(rows[SERVICE], Station.RUNNING).passage is Passage.NOT_CONCERNED
        times = [clock.at for clock in rows[SERVICE].clocks if clock.at is not None]
        assert len(times) == 6
        assert times == sorted(times)
        clock = clock_of(rows[SERVICE], Station.DEPLOYED)
        assert clock.elsewhere is not None
        assert clock.elsewhere.times == 1
