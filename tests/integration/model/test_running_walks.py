"""Whatever runs in clusters that tell of it now and then, in part or not at all, from when until when a place had a
CVE is what the record of each look says."""

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule, run_state_machine_as_test

from bot.domain.running.exposure import PlaceState
from tests.integration.model.clusters import publish_cve
from tests.integration.model.fleet import Fleet
from tests.integration.model.what_runs import RunningPlaces
from tests.migrated import new_sqlite

STEPS = 40
SEEN: set[PlaceState] = set()
"""How places stood at the ends of walks: a walk on which nothing is exposed shows nothing."""


class RunningWalk(RunningPlaces):
    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="freshness-walk-"))
        self.loop = asyncio.new_event_loop()
        self.fleet = self.run(Fleet.begin(new_sqlite(self.folder / "walk.db")))

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    @rule(minutes=st.sampled_from([1, 25, 60 * 3]))
    def time_passes(self, minutes: int) -> None:
        self.fleet.clock.advance(timedelta(minutes=minutes))

    @rule(seconds=st.sampled_from([1, 20, 90, 900]))
    def the_clock_is_put_back(self, seconds: int) -> None:
        self.fleet.clock.advance(-timedelta(seconds=seconds))

    @rule(worker=st.integers(0, 1))
    def the_clock_is_a_year_ahead_for_a_look(self, worker: int) -> None:
        self.fleet.own_clock.ahead = timedelta(days=365)
        self.run(self.fleet.look(worker))
        self.fleet.own_clock.ahead = timedelta()

    @rule()
    def both_workers_look_at_once(self) -> None:
        self.run(self.fleet.at_once("look", "look"))

    def teardown(self) -> None:
        if not hasattr(self, "fleet"):
            return
        try:
            self.run(self.settle())
        finally:
            self.run(self.fleet.database.close())
            self.loop.close()
            shutil.rmtree(self.folder)

    async def settle(self) -> None:
        """Once nothing disturbs any more, all is known that runs."""
        fleet, clusters = self.fleet, self.fleet.clusters
        clusters.heal()
        await publish_cve(fleet.workers[0])
        for _ in range(6):
            fleet.clock.advance(timedelta(hours=1))
            await fleet.look(0)
        wrong = await clusters.wrong(fleet.workers[1])
        assert not wrong, wrong
        assert await clusters.unknown(fleet.workers[1]) == []
        SEEN.update(await clusters.states(fleet.workers[1]))


def test_from_when_until_when_is_what_the_record_says() -> None:
    walk(3)


@pytest.mark.long
def test_from_when_until_when_is_what_the_record_says_on_many_walks() -> None:
    walk(60)
    assert PlaceState.EXPOSED in SEEN


def walk(examples: int) -> None:
    run_state_machine_as_test(
        RunningWalk,
        settings=settings(
            max_examples=examples,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            derandomize=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
