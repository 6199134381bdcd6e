"""Nothing begins in a freeze, it is said so where people look, and what it held back begins when it is over."""

from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.domain.rollouts.rebuild import RebuildState
from sandbox.fleets.fleet import ASPNET, RUNTIME_TAG, WEEKLY_REBUILD
from sandbox.world import World
from tests.e2e.sample import SETTLED
from tests.e2e.staging import Stage, settled
from tests.migrated import new_sqlite

HOURS = 6
PATH = ".github/workflows/weekly-rebuild.yml"


def freeze_for(time: timedelta, reason: str) -> dict[str, object]:
    """As in the settings; it began an hour ago."""
    now = datetime.now(UTC)
    since, until = (f"{at:%Y-%m-%d %H:%M} UTC" for at in (now - timedelta(hours=1), now + time))
    return {"from": since, "until": until, "reason": reason}


def year_end(_1: World, _2: Path) -> dict[str, object]:
    return {"freezes": [{**freeze_for(timedelta(hours=HOURS), "year-end"), "except_severity": "critical"}]}


frozen = SETTLED.under(year_end).fixture()
"""The sample fleet in the middle of a freeze that critical fixes pass."""


async def begun(stage: Stage) -> tuple[int, int]:
    """Pull requests and runs."""
    names = ("payments-api", "orders-api", "search-worker")
    requests = [await stage.world.github.pull_requests(name) for name in names]
    return sum(map(len, requests)), len(stage.world.github.runs())


@pytest.mark.long
async def test_what_comes_in_a_freeze_begins_when_it_is_over(frozen: Stage) -> None:
    await frozen.fleet.publish_runtime("10.0.1")
    await frozen.run_pass()
    await frozen.run_pass()

    assert await begun(frozen) == (0, 0)
    assert set((await frozen.states()).values()) == {RebuildState.PLANNED}
    told = {rebuild.reason for rebuild in (await frozen.rebuilds()).values()}
    assert all("frozen until" in reason and reason.endswith("year-end") for reason in told)
    frozen.clock.ahead += timedelta(hours=HOURS, minutes=5)
    await frozen.run_pass()
    assert await begun(frozen) == (3, 1)


async def test_a_severe_fix_passes_a_freeze(frozen: Stage) -> None:
    frozen.world.feeds.publish_advisory(
        "CVE-2026-21218",
        severity="critical",
        package="Microsoft.AspNetCore.App.Runtime.linux-x64",
        affected=">= 10.0.0, <= 10.0.0",
        patched="10.0.1",
    )
    frozen.fleet.announce("10.0.1", security=True, cves=("CVE-2026-21218",))
    await frozen.fleet.publish_runtime("10.0.1")
    frozen.clock.ahead += timedelta(minutes=15)

    await frozen.run_pass()

    assert await begun(frozen) == (3, 1)


@pytest.mark.long
async def test_the_weekly_rebuild_waits_for_the_end_of_a_freeze(world: World, tmp_path: Path) -> None:
    """What has not been built for a month is due at once."""
    async with AsyncExitStack() as exits:
        url = new_sqlite(tmp_path / "freshness.db")
        rule: dict[str, object] = {"settle": "0s", "max_age": "7d"}
        freeze = freeze_for(timedelta(days=2), "the move to the new region")
        stage = await settled(world, tmp_path, url, exits, policy=[rule], freezes=[freeze])
        files = {
            "Dockerfile": f"FROM {stage.fleet.registry}/{ASPNET}:{RUNTIME_TAG}\n",
            PATH: WEEKLY_REBUILD.replace('  schedule:\n    - cron: "0 2 * * 1"\n', ""),
        }
        await world.github.create_repository("aged", files)
        await world.github.record_run("aged", PATH, "push", stage.clock.now() - timedelta(days=30), "success")
        for _ in range(3):
            await stage.run_pass()
            stage.clock.ahead += timedelta(hours=12)
        assert [run for run in world.github.runs("aged") if run.conclusion is None] == []

        stage.clock.ahead += timedelta(hours=20)
        await stage.run_pass()
        stage.clock.ahead += timedelta(hours=7)
        await stage.run_pass()

        assert len([run for run in world.github.runs("aged") if run.conclusion is None]) == 1
