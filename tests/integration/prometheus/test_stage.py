"""The past of a source over HTTP, window by window into the store: beside what the source told itself."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bot.commands.service.cluster_checks import cluster_checks
from bot.domain.clock import ManualClock
from bot.domain.running.backfill import STEP
from bot.domain.running.runs import RunningSource
from bot.domain.running.snapshot import RunningContainer, RunningPlace, Snapshot
from bot.fleet.running.backfilling.rows import BackfillStore
from bot.fleet.running.backfilling.tick import PACE, tick
from bot.fleet.running.rows import RunningStore
from bot.fleet.wiring.clusters import pasts_of
from bot.reconcile.loop import Loop
from bot.settings import Settings
from bot.store.engine.database import open_database
from bot.store.engine.queue.claiming import Worker
from bot.store.rows.running.backfills import running_backfills
from bot.store.rows.running.running import running_builds, running_looks, running_places, runs
from bot.store.stores import Stores
from bot.views.doctor import Health
from sandbox.edges.serving import Server
from sandbox.kubernetes.pods import digest_of
from sandbox.prometheus.server import Kept
from tests.integration.prometheus.conftest import HOUR, IMAGE, NOON, pod
from tests.migrated import new_sqlite

WEST = RunningSource("west", "production", every=timedelta(minutes=5))
SHOP = RunningPlace("shop", "Deployment", "shop", "shop")
FIRST = NOON + timedelta(minutes=2)
REACH = timedelta(hours=8)


@dataclass(frozen=True, slots=True)
class Filled:
    """A source that told first at `FIRST`, and whose past is asked for."""

    settings: Settings
    stores: Stores
    clock: ManualClock

    async def lists(self, *builds: str, started_at: datetime | None = None) -> None:
        """The source tells that the shop runs these."""
        shown = (RunningContainer(SHOP, IMAGE, digest_of(each), started_at, 0, 1) for each in builds)
        await self.stores[RunningStore].save_snapshot("west", Snapshot(self.clock.now(), tuple(shown)))

    async def passes(self, worker: str = "one", after: timedelta = PACE) -> tuple[int, list[str]]:
        """One pass of a process of that name."""
        self.clock.advance(after)
        stores = Stores(self.stores[RunningStore]._database, Worker(worker), self.clock)
        pasts = pasts_of(self.settings, self.clock)
        return await tick(stores[BackfillStore], {"west": REACH}, pasts, Loop(self.clock))

    async def to_the_end(self) -> int:
        """How many windows are read until nothing is asked for any more."""
        windows = 0
        for _ in range(10):
            read, problems = await self.passes()
            assert problems == []
            windows += read
        return windows

    async def shown(self) -> list[tuple[str, datetime, datetime, datetime | None]]:
        """Each run: its digest, since, seen and until."""
        joined = runs.join(running_places, running_places.c.id == runs.c.place_id)
        joined = joined.join(running_builds, running_builds.c.id == runs.c.build_id)
        wanted = running_builds.c.digest, runs.c.since, runs.c.seen_at, runs.c.until
        query = select(*wanted).select_from(joined).order_by(runs.c.since)
        async with self.stores[RunningStore]._database.reading() as connection:
            return [tuple(row) for row in await connection.execute(query)]

    async def covered(self) -> list[tuple[datetime, datetime]]:
        query = select(running_looks.c.since, running_looks.c.until).order_by(running_looks.c.since)
        async with self.stores[RunningStore]._database.reading() as connection:
            return [tuple(row) for row in await connection.execute(query)]

    async def is_over(self) -> bool:
        query = select(func.count()).select_from(running_backfills).where(running_backfills.c.ended_at.is_not(None))
        async with self.stores[RunningStore]._database.reading() as connection:
            return bool(await connection.scalar(query))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.second_database)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return new_sqlite(tmp_path / "store.db")
    template = request.getfixturevalue("postgres_template")
    return str(request.getfixturevalue("postgres_databases")(template))


@pytest.fixture
async def filled(tmp_path: Path, server: Server, url: str) -> AsyncIterator[Filled]:
    (tmp_path / "token").write_text("t" * 24)
    source = {"name": "west", "environment": "production", "kind": "push", "token_file": tmp_path / "token"}
    source |= {"past": {"prometheus": server.url, "reach": "8h"}}
    settings = Settings.model_validate({"running": {"sources": [source]}, "web": {"listen": "127.0.0.1:0"}})
    clock = ManualClock(FIRST)
    database = await open_database(url)
    made = Filled(settings, Stores(database, Worker("one"), clock), clock)
    await made.stores[RunningStore].follow([WEST])
    yield made
    await database.close()


async def test_nothing_is_asked_before_the_source_told_itself(kept: Kept, filled: Filled) -> None:
    assert await filled.passes() == (0, [])
    assert kept.asked == []


async def test_the_past_is_filled_up_to_the_first_list_window_by_window(kept: Kept, filled: Filled) -> None:
    await filled.lists("new", started_at=NOON - HOUR)
    assert await filled.to_the_end() == 3
    assert len(kept.asked) == 3
    assert await filled.is_over()
    assert await filled.shown() == [
        (digest_of("old"), NOON - 6 * HOUR + STEP, NOON - 2 * HOUR, NOON - 2 * HOUR + STEP),
        (digest_of("new"), NOON - 2 * HOUR + STEP, NOON - HOUR - STEP, NOON - HOUR),
        (digest_of("new"), NOON - HOUR, FIRST, None),
    ]
    assert await filled.covered() == [(NOON - 6 * HOUR + STEP, FIRST), (FIRST, FIRST)]


async def test_what_the_source_told_itself_is_as_before(kept: Kept, filled: Filled) -> None:
    await filled.lists("new", "other", started_at=NOON - 5 * HOUR)
    filled.clock.advance(timedelta(minutes=5))
    await filled.lists("old")
    own = await filled.shown()
    await filled.to_the_end()
    assert [run for run in await filled.shown() if run in own] == own


async def test_a_gap_in_the_samples_stays_a_hole(kept: Kept, filled: Filled) -> None:
    kept.gaps = [(NOON - 5 * HOUR, NOON - 4 * HOUR)]
    await filled.lists("new", started_at=NOON - 9 * HOUR)
    await filled.to_the_end()
    before, after, _ = await filled.covered()
    assert before[1] <= NOON - 5 * HOUR + STEP
    assert after[0] >= NOON - 4 * HOUR


async def test_another_process_goes_on_where_one_has_died(kept: Kept, filled: Filled) -> None:
    await filled.lists("new", started_at=NOON - HOUR)
    await filled.passes()
    store = filled.stores[BackfillStore]
    [held] = await store.due({"west"}).claim(filled.clock.now() + PACE, 1)
    assert held.attempts == 1
    assert await filled.passes("another") == (0, [])
    assert await filled.passes("another", timedelta(minutes=30)) == (1, [])
    assert await filled.to_the_end() == 1
    begins = [since for since, _ in kept.asked]
    assert begins == sorted(set(begins))


async def test_a_fault_of_the_world_delays_it(kept: Kept, filled: Filled) -> None:
    await filled.lists("new", started_at=NOON - HOUR)
    kept.token = "x" * 24
    read, problems = await filled.passes()
    assert (read, problems) == (
        0,
        [
            "what ran in west before is not read: does not let its series be read (401); "
            "give past a token_file that may"
        ],
    )
    kept.token = None
    filled.clock.advance(timedelta(hours=1))
    assert await filled.to_the_end() == 3


async def test_once_read_to_its_end_it_is_never_asked_for_again(kept: Kept, filled: Filled) -> None:
    await filled.lists("new", started_at=NOON - HOUR)
    await filled.to_the_end()
    before = await filled.shown()
    kept.pods.append(pod("late", NOON - 4 * HOUR, NOON))
    assert await filled.passes(after=timedelta(days=3)) == (0, [])
    assert len(kept.asked) == 3
    assert await filled.shown() == before


async def test_doctor_says_whether_the_past_can_be_asked_for(kept: Kept, filled: Filled) -> None:
    async def told() -> tuple[Health, str]:
        first, *_ = await cluster_checks(filled.settings, filled.stores, filled.clock)
        assert first.subject == "west: past"
        return first.verdict, first.found

    assert await told() == (Health.FINE, "keeps 1 container")
    kept.pods = []
    assert await told() == (Health.NOTE, "keeps no series kube_pod_container_info of it now")
    kept.statuses = [404]
    assert await told() == (Health.WRONG, "is no Prometheus")
