"""Two replicas on PostgreSQL, one of which is killed in the middle of a rollout of fifty repositories."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import sqlalchemy as sa
import yaml

from bot.domain.rollouts.rebuild import AWAITING, ENDED, RebuildState
from bot.store.engine.database import Database, open_database
from bot.store.engine.queue.claiming import Worker
from sandbox.fleets.fleet import ASPNET, RUNTIME_TAG, WEEKLY_REBUILD, SampleFleet
from sandbox.world import World
from tests.e2e.replicas import SharedClock, replicas, shared_clock

pytestmark = pytest.mark.long

DISPATCHED, PINNED = 40, 10
ALL = DISPATCHED + PINNED
LEASE = Worker("any").lease
PATIENCE = 600


class Fifty(SampleFleet):
    """Forty repositories that are rebuilt by a workflow, and ten by a pull request."""

    def repositories(self, version: str) -> dict[str, dict[str, str]]:
        base = f"{self.registry}/{ASPNET}:{RUNTIME_TAG}"
        pinned = f"{base}@{self.digests[f'{ASPNET}:{RUNTIME_TAG}']}"
        return {
            **{
                f"service-{number:02}": {
                    "Dockerfile": f"FROM {base}\nCOPY . /app\n",
                    ".github/workflows/weekly-rebuild.yml": WEEKLY_REBUILD,
                }
                for number in range(DISPATCHED)
            },
            **{f"library-{number:02}": {"Dockerfile": f"FROM {pinned}\nCOPY . /app\n"} for number in range(PINNED)},
        }

    async def build(self, version: str = "10.0.0") -> None:
        await self.publish_runtime(version)
        self.announce(version, security=False)
        for name, files in self.repositories(version).items():
            await self.world.github.create_repository(name, files)


class Scene:
    """The fleet, the database that the replicas share, and what both show."""

    def __init__(self, fleet: Fifty, database: Database) -> None:
        self.fleet = fleet
        self.github = fleet.world.github
        self.database = database
        self.names = tuple(fleet.repositories("10.0.0"))

    async def asked(self, query: str) -> list[tuple[Any, ...]]:
        async with self.database.transaction() as connection:
            return [tuple(row) for row in await connection.execute(sa.text(query))]

    async def count(self, query: str) -> int:
        [(number,)] = await self.asked(f"SELECT count(*) FROM {query}")
        return int(number)

    async def is_known(self) -> bool:
        """Whether every repository was read, the base was seen, and how stale the fleet is was looked at."""
        return (
            await self.count("(SELECT DISTINCT repository_id FROM usages) AS read") == ALL
            and await self.count("bases WHERE digest IS NOT NULL") == 1
            and await self.count("counters WHERE name = 'first run' AND value > 0") == 1
        )

    def begun(self) -> int:
        return len(self.github.runs())

    async def is_in_its_middle(self) -> bool:
        return self.begun() >= DISPATCHED // 4

    async def has_begun(self) -> bool:
        return await self.count(f"rebuilds WHERE state IN ({listed(AWAITING)})") == 0

    async def has_ended(self) -> bool:
        """Finishes what runs and merges what is open; whether nothing is left."""
        for run in self.github.runs():
            if run.conclusion is None:
                self.github.finish_run(run.id, "success")
        for name in self.names[DISPATCHED:]:
            for pull in await self.github.pull_requests(name):
                await self.github.merge(name, pull["number"])
        return await self.count(f"rebuilds WHERE state NOT IN ({listed(ENDED)})") == 0

    async def is_told(self) -> bool:
        return await self.count("outbox WHERE wanted > told") == 0

    async def holders(self) -> list[int]:
        """The processes that hold rebuilds at this moment."""
        query = "SELECT DISTINCT lease_owner FROM rebuilds WHERE lease_owner IS NOT NULL"
        return [int(owner.split("/")[1]) for (owner,) in await self.asked(query)]

    async def ends(self) -> Counter[int]:
        """How often a rebuild has ended, for each repository."""
        query = (
            "SELECT r.repository_id FROM transitions t JOIN rebuilds r ON r.id = t.rebuild_id "
            f"WHERE t.after IN ({listed(ENDED)})"
        )
        return Counter(repository for (repository,) in await self.asked(query))


def listed(states: Iterable[RebuildState]) -> str:
    return ", ".join(f"'{state.value}'" for state in states)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await condition():
            await asyncio.sleep(0.2)


async def later(condition: Callable[[], Awaitable[bool]], clock: SharedClock) -> None:
    """Moves the clock on until then, a quarter of a lease at a time, so that who lives renews what it holds."""
    async with asyncio.timeout(PATIENCE):
        while not await condition():
            clock.move(LEASE / 4)
            await asyncio.sleep(2)


async def stopped_holder(scene: Scene) -> int:
    """Stops a process while it holds rebuilds and answers which; one that had just let go of them goes on."""
    async with asyncio.timeout(PATIENCE):
        while True:
            for holder in await scene.holders():
                os.kill(holder, signal.SIGSTOP)
                await asyncio.sleep(0.2)  # What it sent before is written by then.
                if holder in await scene.holders():
                    return holder
                os.kill(holder, signal.SIGCONT)


@pytest_asyncio.fixture
async def scene(world: World, postgres_url: str) -> AsyncIterator[Scene]:
    fleet = Fifty(world)
    await fleet.build()
    database = await open_database(postgres_url)
    try:
        yield Scene(fleet, database)
    finally:
        await database.close()


@pytest.fixture
def config(world: World, tmp_path: Path, postgres_url: str) -> Path:
    path = world.config(tmp_path, postgres_url)
    schedule = {"poll": "5s", "feeds": "5s", "follow": "5s", "summary": None}
    told = yaml.safe_load(path.read_text()) | {"schedule": schedule, "rollout": {"build_within": "1m"}}
    path.write_text(yaml.safe_dump(told))
    return path


async def test_what_a_killed_replica_held_ends_within_the_lease_and_nothing_is_done_twice(
    scene: Scene, config: Path
) -> None:
    clock = shared_clock()
    with replicas(config, clock, 2) as processes:
        await until(scene.is_known)
        scene.fleet.announce("10.0.1", security=True, cves=("CVE-2026-21218",))
        await scene.fleet.publish_runtime("10.0.1")
        await until(scene.is_in_its_middle)
        holder = await stopped_holder(scene)
        [victim] = [process for process in processes if process.pid == holder]
        [survivor] = [process for process in processes if process is not victim]
        victim.kill()
        victim.join()
        assert scene.begun() < DISPATCHED, "the rollout is in its middle"
        assert holder in await scene.holders(), "what it held stays leased"

        # A quarter at a time, so that the survivor renews what it holds itself.
        for _ in range(4):
            clock.move(LEASE / 4)
            await asyncio.sleep(1)
        # What the victim was about to dispatch is looked for during an hour before it is sent once more.
        await later(scene.has_begun, clock)
        # What has been open for hours rests for many minutes between two looks.
        await later(scene.has_ended, clock)
        await later(scene.is_told, clock)
        assert survivor.is_alive()

    assert len(scene.names) == ALL
    ends = await scene.ends()
    assert (len(ends), set(ends.values())) == (ALL, {1})
    runs = Counter(run.workflow.repository for run in scene.github.runs())
    assert (len(runs), set(runs.values())) == (DISPATCHED, {1})
    for name in scene.names[DISPATCHED:]:
        assert len(await scene.github.pull_requests(name, state="all")) == 1
    [message] = await scene.fleet.world.slack.messages()
    assert message["text"].endswith(
        "; 50 repositories on 1 base: 50 need you (10 merged but not seen to build, 40 built but not proven)"
    )
