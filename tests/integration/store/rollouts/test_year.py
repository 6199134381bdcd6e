"""A year of a large fleet."""

from pathlib import Path

import pytest

from tests.bench import bench_packages_year
from tests.bench.bench_store import AIM_MEGABYTES, simulated_year


@pytest.mark.long
async def test_a_year_of_a_thousand_repositories_stays_small(tmp_path: Path) -> None:
    year = await simulated_year(tmp_path / "year.db")
    assert year.moves > 4_500
    assert year.rebuilds > 20_000
    assert year.megabytes < AIM_MEGABYTES


@pytest.mark.long
async def test_what_is_inside_its_images_is_forgotten_as_they_are_built_anew(tmp_path: Path) -> None:
    """With all else that a year leaves behind it stays under a gigabyte."""
    some = await bench_packages_year.simulated_year(tmp_path / "some.db", weeks=3)
    more = await bench_packages_year.simulated_year(tmp_path / "more.db", weeks=7)
    assert more.seen > some.seen + 2_000
    assert more.kept == some.kept
    a_week = (more.megabytes - some.megabytes) / 4
    assert AIM_MEGABYTES + some.megabytes + 52 * a_week < 1_000
