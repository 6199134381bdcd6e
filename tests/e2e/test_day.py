"""A day in a fleet of a thousand repositories, with three patches in it: what the bot holds does not grow."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from statistics import median

import pytest
import yaml

from sandbox.fleets.fleet import ASPNET, RUNTIME_TAG, SDK, SDK_TAG, WEEKLY_REBUILD, SampleFleet
from sandbox.programs.parts import MissingPart
from sandbox.world import World
from tests.e2e.day import Held, passes
from tests.migrated import new_sqlite

pytestmark = pytest.mark.long

REPOSITORIES = 1000
PINNED, FLOATING = 20, 40
"""On the base that is patched: rebuilt by a pull request, and by a workflow. All others stand on another base."""
EVERY = timedelta(minutes=36)
PASSES = 40
PATCHES = {3: "10.0.1", 14: "10.0.2", 28: "10.0.3"}
MOST = 200
"""MB."""


class Thousand(SampleFleet):
    def repositories(self, version: str) -> Mapping[str, Mapping[str, str]]:
        base = f"{self.registry}/{ASPNET}:{RUNTIME_TAG}"
        pinned = f"FROM {base}@{self.digests[f'{ASPNET}:{RUNTIME_TAG}']}\nCOPY . /app\n"
        other = f"{self.registry}/{SDK}:{SDK_TAG}"
        texts = [pinned] * PINNED + [f"FROM {base}\nCOPY . /app\n"] * FLOATING
        texts += [f"FROM {other}\nCOPY . /app\n"] * (REPOSITORIES - len(texts))
        rebuild = {".github/workflows/weekly-rebuild.yml": WEEKLY_REBUILD}
        return {
            f"service-{number:04}": {"Dockerfile": text, **(rebuild if number >= PINNED else {})}
            for number, text in enumerate(texts)
        }

    async def build(self, version: str = "10.0.0") -> None:
        await self.publish_runtime(version)
        await self.publish_sdk(version)
        self.announce(version, security=False)
        turns = asyncio.Semaphore(12)

        async def create(name: str, files: Mapping[str, str]) -> None:
            async with turns:
                await self.world.github.create_repository(name, files)

        await asyncio.gather(*(create(name, files) for name, files in self.repositories(version).items()))

    async def patch(self, version: str) -> None:
        self.announce(version, security=True, cves=("CVE-2026-21218",))
        await self.publish_runtime(version)

    async def finish(self) -> None:
        """What runs succeeds, and what is open is merged."""
        github = self.world.github
        for run in github.runs():
            if run.conclusion is None:
                github.finish_run(run.id, "success")
        for number in range(PINNED):
            for pull in await github.pull_requests(f"service-{number:04}"):
                await github.merge(f"service-{number:04}", pull["number"])


@pytest.fixture
async def fleet() -> AsyncIterator[Thousand]:
    """In a world that checks no request against GitHub's descriptions, which other tests do with fewer of them."""
    try:
        async with World() as world:
            world.github.edge.limits.rest = world.github.edge.limits.graphql = 1_000_000
            found = Thousand(world)
            await found.build()
            yield found
    except MissingPart as missing:
        pytest.skip(str(missing))


@pytest.fixture
def config(fleet: Thousand, tmp_path: Path) -> Path:
    path = fleet.world.config(tmp_path, new_sqlite(tmp_path / "freshness.db"))
    told = yaml.safe_load(path.read_text()) | {"rollout": {"build_within": "1h"}}
    path.write_text(yaml.safe_dump(told))
    return path


async def test_memory_stays_flat_and_nothing_piles_up(fleet: Thousand, config: Path) -> None:
    with passes(config) as bot:
        for number in range(PASSES):
            if number in PATCHES:
                await fleet.patch(PATCHES[number])
            await bot.make(number * EVERY)
            if any(patched <= number < patched + 3 for patched in PATCHES):
                await fleet.finish()
            fleet.world.traffic.forget()
    held = bot.held
    assert [each.broke for each in held if each.broke] == []
    assert len(fleet.world.github.runs()) == len(PATCHES) * FLOATING, "it was a day with work in it"
    assert max(each.peak for each in held) < MOST
    # The first patch warms everything up; the others are the same work once more.
    before, after = held[8:24], held[24:]
    assert memory(after) - memory(before) < 10
    assert handles(after) <= handles(before)
    for name in ("threads", "tasks"):
        assert max(getattr(each, name) for each in after) <= max(getattr(each, name) for each in before), name


def memory(held: Sequence[Held]) -> float:
    return median(each.memory for each in held)


def handles(held: Sequence[Held]) -> float:
    """The median: how many connections are still kept alive right after a pass differs from one pass to the next
    (29 to 36 handles were counted), and what piles up stays in every pass that follows."""
    return median(each.handles for each in held)
