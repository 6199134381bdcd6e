"""Catching up on SQLite in the fleet of `bench_plan`, half of which pins what bases showed before they moved."""

import tempfile
import time

from sqlalchemy import Text, cast, update

from bot.domain.bases.observation import Observation
from bot.domain.clock import ManualClock
from bot.domain.rollouts.journal import Word
from bot.fleet.plan.catching_up import planned
from bot.fleet.plan.first_run.rows import CatchUpStore
from bot.fleet.wiring.collecting import collected_seldom
from bot.store.engine.codec import dump
from bot.store.engine.database import open_database
from bot.store.engine.queue.leases import this_worker
from bot.store.rows.bases.tables import bases, observations
from bot.store.rows.repositories.tables import usages
from bot.store.stores import Stores
from tests.bench.bench_plan import BASES, POLICY, REPOSITORIES, USAGES, fleet
from tests.bench.bench_plan_tick import child, fill
from tests.bench.measured import Measured
from tests.own_memory import most_memory


def run() -> list[Measured]:
    """Filling and catching up are processes of their own."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/fleet.db"
        child(__name__, "fill_behind", url)
        behind, rebuilds, *figures = child(__name__, "catch_up", url).split()
    decided, saved, memory = (float(figure) for figure in figures)
    what = f"catch-up of {REPOSITORIES:,} repositories × {USAGES} usages on {BASES} bases"
    return [
        Measured(f"{what}: usages behind", f"{int(behind):,}"),
        Measured(f"{what}: rebuilds", f"{int(rebuilds):,}"),
        Measured(f"{what}: processor time to look and decide", f"{decided:.2f} s", "below 3 s", decided < 3),
        Measured(f"{what}: processor time to save", f"{saved:.2f} s", "below 1 s", saved < 1),
        Measured(f"{what}: most memory", f"{memory / 2**20:.0f} MB", "below 250 MB", memory < 250 * 2**20),
    ]


async def fill_behind(url: str) -> None:
    """Puts the fleet into a new database, with what each base showed before and shows now."""
    await fill(url)
    moves, _ = fleet()
    database = await open_database(url)
    async with database.transaction() as connection:
        for move in moves:
            change = move.change
            for turn, digest in enumerate((change.from_digest, change.to_digest)):
                shown = Observation(change.at, change.base, digest or "", f"10.0.{4 + turn}")
                await connection.execute(
                    update(observations)
                    .where(observations.c.id == 2 * move.id + turn)
                    .values(digest=digest, observation=dump(shown, Observation))
                )
            await connection.execute(update(bases).where(bases.c.id == move.id).values(digest=change.to_digest))
        old = moves[0].change.from_digest
        pins_it = cast(usages.c.usage, Text).contains(old)
        await connection.execute(update(usages).where(pins_it).values(digest=old))
    await database.close()


async def catch_up(url: str) -> None:
    """Prints the usages that are behind, the rebuilds, the times to decide and to save, and the memory."""
    clock = ManualClock(fleet()[0][0].change.at)
    database = await open_database(url)
    store = Stores(database, this_worker(), clock)[CatchUpStore]
    with collected_seldom():
        began = time.process_time()
        plan = await planned(store, POLICY, clock)
        decided = time.process_time()
        await store.save(plan, Word("Ann", "a bench"))
        saved = time.process_time()
    memory = most_memory()
    print(len(plan.behind.usages), len(plan.rebuilds), decided - began, saved - decided, memory)
    await database.close()
