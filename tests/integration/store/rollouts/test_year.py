"""A year of a large fleet, and of one that the action looks after."""

from pathlib import Path

import pytest

from tests.bench import bench_state
from tests.bench.bench_store import AIM_MEGABYTES, simulated_year


@pytest.mark.long
async def test_a_year_of_a_thousand_repositories_stays_small(tmp_path: Path) -> None:
    year = await simulated_year(tmp_path / "year.db")
    assert year.moves > 4_500
    assert year.rebuilds > 20_000
    assert year.megabytes < AIM_MEGABYTES


@pytest.mark.long
async def test_the_state_of_fifty_repositories_stays_small_for_a_year(tmp_path: Path) -> None:
    kept = await bench_state.kept_after_a_year(tmp_path / "year.db")
    assert kept.on_branch < bench_state.AIM_MEGABYTES
    assert kept.in_cache > kept.on_branch
