"""The stage `running` over a cluster that is listed by HTTP: runs begin, go on and end by what it shows."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.domain.clock import ManualClock
from bot.fleet.running.rows import RunningStore
from bot.fleet.running.tick import tick
from bot.fleet.running.wired import source_of
from bot.fleet.wiring.clusters import clusters_of
from bot.reconcile.loop import Loop
from bot.settings import Settings
from bot.store.engine.database import open_database
from bot.store.engine.queue.claiming import Worker
from bot.store.rows.running.running import running_builds, running_places, runs
from bot.store.stores import Stores
from sandbox.edges.serving import Server
from sandbox.kubernetes.cluster import Cluster, kubeconfig
from sandbox.kubernetes.pods import Container, Workload, digest_of, image_id
from tests.migrated import new_sqlite

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
IMAGE = "ghcr.io/contoso/shop:1"


def shop(build: str, replicas: int = 2) -> Workload:
    return Workload("shop", "Deployment", "shop", [Container("shop", IMAGE, image_id(IMAGE, build))], replicas, NOW)


@dataclass(frozen=True, slots=True)
class Watched:
    """A bot that lists the cluster at each pass."""

    settings: Settings
    stores: Stores
    clock: ManualClock

    async def passes(self, after: timedelta = timedelta(minutes=5)) -> list[str]:
        """What hindered the pass."""
        self.clock.advance(after)
        running = self.settings.running
        sources, clusters = [source_of(each) for each in running.sources], clusters_of(self.settings, self.clock)
        _, problems = await tick(self.stores[RunningStore], sources, clusters, running.keep, Loop(self.clock))
        return problems

    async def shown(self) -> dict[str, bool]:
        """The builds of the shop by digest, and whether each runs still."""
        joined = runs.join(running_places, running_places.c.id == runs.c.place_id)
        joined = joined.join(running_builds, running_builds.c.id == runs.c.build_id)
        query = select(running_builds.c.digest, runs.c.until).select_from(joined)
        async with self.stores[RunningStore]._database.reading() as connection:
            wanted = query.where(running_places.c.workload == "shop")
            return {row.digest: row.until is None for row in await connection.execute(wanted)}


@pytest.fixture
async def watched(tmp_path: Path, server: Server) -> AsyncIterator[Watched]:
    file = tmp_path / "kubeconfig"
    file.write_text(kubeconfig(server.url))
    source = {"name": "west", "environment": "production", "kind": "kubernetes", "kubeconfig_file": file}
    clock = ManualClock(NOW)
    database = await open_database(new_sqlite(tmp_path / "store.db"))
    settings = Settings.model_validate({"running": {"sources": [source]}})
    yield Watched(settings, Stores(database, Worker("running"), clock), clock)
    await database.close()


async def test_a_rollout_begins_a_run_and_ends_another(cluster: Cluster, watched: Watched) -> None:
    cluster.run(shop("old"))
    assert await watched.passes() == []
    cluster.run(replace(shop("new", 1), name="shop"))
    assert await watched.passes() == []
    assert await watched.shown() == {digest_of("old"): False, digest_of("new"): True}


async def test_a_list_that_breaks_off_ends_nothing(cluster: Cluster, watched: Watched) -> None:
    cluster.run(shop("old"))
    await watched.passes()
    cluster.remove("shop", "Deployment", "shop")
    cluster.trouble.forgets_after, cluster.trouble.forgotten = 1, 100
    await watched.passes()
    assert await watched.shown() == {digest_of("old"): True}
    cluster.trouble.forgotten = 0
    await watched.passes()
    assert await watched.shown() == {digest_of("old"): False}


async def test_a_refusal_is_told_and_ends_nothing(cluster: Cluster, watched: Watched) -> None:
    cluster.run(shop("old"))
    await watched.passes()
    cluster.trouble.forbidden = frozenset({"shop"})
    [line] = await watched.passes()
    assert line.startswith("what runs in west is not read: does not let pods be listed")
    assert await watched.shown() == {digest_of("old"): True}
