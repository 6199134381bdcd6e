"""How large the state is that the action keeps on a branch, of 50 repositories after a year."""

import asyncio
import lzma
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bot.store.engine.database import open_database
from bot.store.refetchable import take_apart
from tests.bench.bench_store import WEEKS
from tests.bench.bench_year import WEEKS_OF_IMAGES, PackagedFleet
from tests.bench.measured import Measured

AIM_MEGABYTES = 5


class SmallFleet(PackagedFleet):
    """Fifty repositories on forty tags, each of which moves every two and a half weeks; all have an image."""

    REPOSITORIES, TAGS, MOVES_A_WEEK = 50, 40, 16
    SHARE = 1


@dataclass(frozen=True, slots=True)
class KeptState:
    """What is kept after a year, in megabytes: compressed on the branch, and apart in the cache."""

    on_branch: float
    in_cache: float


def run() -> list[Measured]:
    """Rows: what, measured, aim."""
    with tempfile.TemporaryDirectory() as folder:
        kept = asyncio.run(kept_after_a_year(Path(folder) / "year.db"))
    measured = f"{kept.on_branch:.1f} MB (and {kept.in_cache:.0f} MB in the cache)"
    what = f"the action's state after a year of {SmallFleet.REPOSITORIES} repositories"
    return [Measured(what, measured, f"under {AIM_MEGABYTES} MB", kept.on_branch < AIM_MEGABYTES)]


async def kept_after_a_year(path: Path) -> KeptState:
    """The year of `bench_year`, with packages read all along; images are built, scanned and judged at its end."""
    database = await open_database(f"sqlite:///{path}")
    try:
        fleet = SmallFleet(database)
        await fleet.begin()
        fleet.reads_bases = True
        for week in range(WEEKS):
            fleet.has_images = week >= WEEKS - WEEKS_OF_IMAGES
            await fleet.week()
    finally:
        await database.close()
    parts = take_apart(path)
    return KeptState(len(lzma.compress(parts.own, preset=6)) / 1e6, len(parts.refetchable) / 1e6)
