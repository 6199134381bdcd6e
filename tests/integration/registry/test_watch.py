"""The whole of watching: a real registry, the store on SQLite, and the clock moved by hand."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from bot.clients.http.client import Http, Limits
from bot.clients.registry import Registry as RegistryClient
from bot.clients.registry import RegistryAccess, host_rules
from bot.domain.bases.observation import Sight
from bot.domain.clock import ManualClock
from bot.domain.reference import Base
from bot.fleet.watch.registry.rows import WatchStore
from bot.fleet.watch.registry.tick import WatchTally, tick
from bot.reconcile.loop import Loop
from bot.store.engine.database import Database, open_database
from bot.store.engine.queue.claiming import Worker
from bot.store.rows.bases.tables import bases
from sandbox.edges.edge import Surroundings
from sandbox.images import DOCKER, dotnet_image
from sandbox.registry import Registry
from tests.migrated import new_sqlite

START = datetime(2025, 11, 20, 9, 0, tzinfo=UTC)
ASPNET, SDK = "dotnet/aspnet", "dotnet/sdk"
QUARTER = timedelta(minutes=15)


@dataclass
class Watching:
    registry: Registry
    surroundings: Surroundings
    database: Database
    store: WatchStore
    client: RegistryClient
    clock: ManualClock
    loop: Loop

    async def follow(self, repository: str, tag: str) -> Base:
        base = Base(self.registry.host, repository, tag)
        row = {"registry": base.registry, "repository": repository, "tag": tag, "used": True, "due_at": START}
        async with self.database.transaction() as connection:
            await connection.execute(insert(bases).values(row))
        return base

    async def tick(self, after: timedelta = timedelta(0)) -> WatchTally:
        self.clock.advance(after)
        self.surroundings.traffic.forget()
        return await tick(self.store, self.client, self.loop)

    async def errors(self) -> list[str | None]:
        async with self.database.transaction() as connection:
            return list((await connection.execute(select(bases.c.error).order_by(bases.c.id))).scalars())

    def asked(self, method: str) -> int:
        return len(self.surroundings.traffic.requests(method=method))


@pytest.fixture
async def watching(registry: Registry, surroundings: Surroundings, tmp_path: Path) -> AsyncIterator[Watching]:
    clock = ManualClock(START)
    accesses = [RegistryAccess(registry.host, insecure=True)]
    database = await open_database(new_sqlite(tmp_path / "watch.db"))
    async with Http(clock, host_rules(accesses), Limits(attempts=1)) as http:
        client = RegistryClient(http, accesses, clock)
        store = WatchStore(database, Worker("test"), clock)
        yield Watching(registry, surroundings, database, store, client, clock, Loop(clock))
    await database.close()


async def test_a_base_is_watched_from_its_first_sight_to_its_next_version(watching: Watching) -> None:
    base = await watching.follow(ASPNET, "10.0-noble")
    await watching.registry.push(ASPNET, base.tag, dotnet_image("aspnet", "10.0.0"))
    [first] = (await watching.tick()).sightings
    assert (first.sight, first.observation.version) == (Sight.FIRST, "10.0.0")

    assert (await watching.tick(QUARTER)).unchanged == 1
    assert (watching.asked("HEAD"), watching.asked("GET")) == (1, 0)

    pushed = await watching.registry.push(ASPNET, base.tag, dotnet_image("aspnet", "10.0.1", os=b"noble 2"))
    [moved] = (await watching.tick(QUARTER)).moved
    assert (moved.digest, moved.version) == (pushed.digest, "10.0.1")
    assert {image.platform: image.digest for image in moved.platforms} == pushed.platforms
    assert {image.os for image in moved.platforms} == {"noble"}
    assert (watching.asked("HEAD"), watching.asked("GET")) == (1, 1 + 2 * 2)


async def test_platforms_that_did_not_change_are_not_read_again(watching: Watching) -> None:
    base = await watching.follow(ASPNET, "10.0")
    image = dotnet_image("aspnet", "10.0.0", platforms=("linux/amd64",))
    await watching.registry.push(ASPNET, base.tag, image)
    await watching.tick()
    both = dotnet_image("aspnet", "10.0.0", platforms=("linux/amd64", "linux/arm64"))
    await watching.registry.push(ASPNET, base.tag, both)
    assert len((await watching.tick(QUARTER)).moved) == 1
    assert watching.asked("GET") == 1 + 2


async def test_a_digest_that_comes_back_after_a_day_is_recognised_and_costs_nothing(watching: Watching) -> None:
    base = await watching.follow(ASPNET, "10.0")
    old, new = dotnet_image("aspnet", "10.0.0"), dotnet_image("aspnet", "10.0.1")
    sights: list[Sight] = []
    for image, after in ((old, QUARTER), (new, QUARTER), (old, timedelta(days=1)), (old, QUARTER)):
        await watching.registry.push(ASPNET, base.tag, image)
        sights.extend(each.sight for each in (await watching.tick(after)).sightings)
    assert sights == [Sight.FIRST, Sight.MOVED, Sight.CAME_BACK]
    assert watching.asked("GET") == 0


async def test_a_single_manifest_of_dockers_own_kind_is_observed(watching: Watching) -> None:
    base = await watching.follow(SDK, "10.0")
    image = dotnet_image("sdk", "10.0.100", platforms=("linux/arm/v7",), media_types=DOCKER)
    pushed = await watching.registry.push(SDK, base.tag, image, single=True)
    [sighting] = (await watching.tick()).sightings
    [platform] = sighting.observation.platforms
    assert (platform.platform, platform.digest) == ("linux/arm/v7", pushed.digest)
    assert sighting.observation.version == "10.0.100"


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
async def test_no_answer_of_a_registry_is_taken_for_a_change(watching: Watching, status: int) -> None:
    for tag in ("8.0", "9.0", "10.0"):
        base = await watching.follow(ASPNET, tag)
        await watching.registry.push(ASPNET, base.tag, dotnet_image("aspnet", f"{tag}.0"))
    await watching.tick()
    watching.surroundings.faults.add("HEAD", "/manifests/", status=status, times=1000)
    told: list[Any] = []
    for _ in range(6):
        tally = await watching.tick(timedelta(hours=6))
        assert tally.sightings == ()
        told.extend(tally.opened)
    assert len({incident.subject for incident in told}) == len(told) in (1, 3)
    watching.surroundings.faults.clear()
    tally = await watching.tick(timedelta(hours=6))
    assert (tally.unchanged, len(tally.cleared)) == (3, len(told))
    assert await watching.errors() == [None] * 3
