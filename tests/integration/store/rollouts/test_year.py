"""A year of a large fleet."""

from pathlib import Path

import pytest

from tests.bench.bench_store import AIM_MEGABYTES, simulated_year


@pytest.mark.long
async def test_a_year_of_a_thousand_repositories_stays_small(tmp_path: Path) -> None:
    year = await simulated_year(tmp_path / "year.db")
    assert year.moves > 4_500
    assert year.rebuilds > 20_000
    assert year.megabytes < AIM_MEGABYTES
