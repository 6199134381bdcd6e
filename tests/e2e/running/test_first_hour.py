"""The first hour of a team of four: six repositories, an App, and the one file that `init --action` writes."""

from pathlib import Path

import pytest

from sandbox.fleets.fleet import SampleFleet
from sandbox.world import World
from tests.e2e.running.runner import Ran
from tests.e2e.running.team import CVES, SHOP, Team, TeamFleet


@pytest.fixture
async def fleet(world: World) -> SampleFleet:
    fleet = TeamFleet(world)
    await fleet.build()
    return fleet


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
