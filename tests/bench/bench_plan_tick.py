"""One tick of planning on SQLite for the fleet of `bench_plan`: read from the store, decided, and saved."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import Engine, event, insert

from bot.domain.bases.change import Change
from bot.domain.clock import ManualClock
from bot.domain.repositories.repository import Workflow
from bot.domain.repositories.repository_config import RepositoryConfig
from bot.domain.repositories.usage import Usage
from bot.fleet.plan.rows.plan import PlanStore
from bot.fleet.plan.tick import tick
from bot.fleet.wiring.collecting import collected_seldom
from bot.store.engine.codec import dump
from bot.store.engine.database import open_database
from bot.store.engine.queue.leases import this_worker
from bot.store.rows.bases.tables import bases, changes, observations
from bot.store.rows.repositories.tables import repositories, usages
from bot.store.stores import Stores
from tests.bench.bench_plan import BASES, POLICY, REPOSITORIES, USAGES, fleet
from tests.bench.measured import Measured
from tests.own_memory import most_memory

_ROOT = Path(__file__).resolve().parents[2]
_CHILD = "import asyncio, sys; from {0} import {1}; asyncio.run({1}(sys.argv[1]))"


def run() -> list[Measured]:
    """Filling and planning are processes of their own."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/fleet.db"
        child(__name__, "fill", url)
        figures = child(__name__, "plan", url).split()
    rebuilds, first, memory, idle, statements = (float(figure) for figure in figures)
    what = f"tick of plan with store, {REPOSITORIES:,} repositories × {USAGES} usages × {BASES} moved bases"
    return [
        Measured(f"{what}: rebuilds saved", f"{rebuilds:,.0f}"),
        Measured(f"{what}: processor time", f"{first:.2f} s", "below 2 s", first < 2),
        Measured(f"{what}: statements", f"{statements:.0f}", "below 120", statements < 120),
        Measured(f"{what}: most memory", f"{memory / 2**20:.0f} MB", "below 250 MB", memory < 250 * 2**20),
        Measured(f"{what}: next tick, nothing to do", f"{idle * 1000:.1f} ms", "below 20 ms", idle < 0.020),
    ]


async def fill(url: str) -> None:
    """Puts the fleet into a new database, every base just moved."""
    moves, affected = fleet()
    at = moves[0].change.at
    members = {item.member.id: item.member for items in affected.values() for item in items}
    database = await open_database(url)
    async with database.transaction() as connection:
        await connection.execute(
            insert(bases),
            [
                {
                    "id": move.id,
                    "registry": move.change.base.registry,
                    "repository": move.change.base.repository,
                    "tag": move.change.base.tag,
                    "due_at": at,
                }
                for move in moves
            ],
        )
        seen = {"at": at, "sight": "seen", "observation": {}, "assessed": True}
        await connection.execute(
            insert(observations),
            [{"id": 2 * move.id + turn, "base_id": move.id, **seen} for move in moves for turn in (0, 1)],
        )
        await connection.execute(
            insert(changes),
            [
                {
                    "id": move.id,
                    "base_id": move.id,
                    "from_observation": 2 * move.id,
                    "to_observation": 2 * move.id + 1,
                    "at": at,
                    "change": dump(move.change, Change),
                    "cause": move.change.cause.value,
                    "assessed_at": at,
                    "feeds_revision": 0,
                    "planned": False,
                }
                for move in moves
            ],
        )
        await connection.execute(
            insert(repositories),
            [
                {
                    "id": member.id,
                    "name": member.name,
                    "default_branch": "main",
                    "listed": True,
                    "config": dump(member.config, RepositoryConfig),
                    "workflows": dump(member.workflows, tuple[Workflow, ...]),
                    "problems": [],
                    "due_at": at,
                }
                for member in members.values()
            ],
        )
        await connection.execute(
            insert(usages),
            [
                {"repository_id": item.member.id, "base_id": base, "usage": dump(item.usage, Usage)}
                for base, items in affected.items()
                for item in items
            ],
        )
    await database.close()


async def plan(url: str) -> None:
    """Prints the rebuilds of the first tick, its time and memory, the time of a tick with nothing to do, and the
    statements of the first."""
    moved_at = fleet()[0][0].change.at
    clock = ManualClock(moved_at)
    database = await open_database(url)
    store = Stores(database, this_worker(), clock)[PlanStore]
    said: list[str] = []
    event.listen(Engine, "before_cursor_execute", lambda *told: said.append(told[2]))
    times, statements = [], []
    rebuilds = 0
    with collected_seldom():
        for _ in range(2):
            started = time.process_time()
            rebuilds += (await tick(store, POLICY, clock)).rebuilds
            times.append(time.process_time() - started)
            statements.append(len(said))
    print(rebuilds, times[0], most_memory(), times[1], statements[0])
    await database.close()


def child(module: str, work: str, url: str) -> str:
    """Does a piece of work of a bench in a process of its own; what it printed."""
    return subprocess.run(
        [sys.executable, "-c", _CHILD.format(module, work), url],
        cwd=_ROOT,
        env=os.environ | {"PYTHONPATH": str(_ROOT)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
