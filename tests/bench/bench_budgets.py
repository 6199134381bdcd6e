"""How long two replicas on one PostgreSQL take to open a wave's pull requests, on a clock that is moved.

GitHub's secondary limits are enforced by the sandbox on the same clock, and every call takes a second.
"""

import asyncio
import heapq
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any, cast

from sqlalchemy import func, select, update

from bot.clients.forges.github import GitHub, GitHubAccess, TokenCredentials
from bot.domain.builder.port import Builder
from bot.domain.clock import ManualClock
from bot.domain.forge.port import Forge
from bot.domain.reference import Reference
from bot.domain.rollouts.timing.pace import WriteLimits
from bot.files.formats.rewrite.refresh import refresh
from bot.fleet.act import tick as stage
from bot.fleet.act.ports import ActOptions
from bot.fleet.act.rows.act import ActStore
from bot.reconcile.guarded import Budget
from bot.reconcile.loop import Loop
from bot.store.engine.budgets import BudgetStore
from bot.store.engine.database import Database, open_database
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.rollouts.tables import rebuilds
from sandbox.programs.postgres import PostgresServer
from sandbox.world import World
from tests.bench.measured import Measured
from tests.integration.model.fleet import AnyTag
from tests.integration.store.filling import ASPNET, Stores, digest

START = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
CALL = 1.0
"""Seconds that one call of GitHub takes."""
EVERY = 5.0
CREATED_AT_ONCE = 12
DOCKERFILE = f"FROM {Reference(ASPNET.name, ASPNET.tag, digest('a'))}\n"


@dataclass(slots=True)
class MovedTime:
    """Moves the clock to the next moment that somebody waits for, once everybody waits."""

    clock: ManualClock
    working: int = 0
    waiting: list[tuple[datetime, int, asyncio.Event]] = field(default_factory=list)
    numbers: Any = field(default_factory=count)

    async def sleep(self, seconds: float) -> None:
        event = asyncio.Event()
        due = self.clock.now() + timedelta(seconds=seconds)
        heapq.heappush(self.waiting, (due, next(self.numbers), event))
        self.rest()
        await event.wait()

    def rest(self) -> None:
        """One fewer works: somebody waits or is done."""
        self.working -= 1
        if self.working == 0 and self.waiting:
            at, _, event = heapq.heappop(self.waiting)
            self.clock.move_to(at)
            self.working += 1
            event.set()


class Slow:
    """A forge whose every call takes its time."""

    def __init__(self, forge: GitHub, time: MovedTime) -> None:
        self._forge, self._time = forge, time

    def __getattr__(self, name: str) -> Any:
        return partial(self._called, getattr(self._forge, name))

    async def _called(self, call: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        await self._time.sleep(CALL)
        return await call(*arguments, **named)


@dataclass(frozen=True, slots=True)
class Opened:
    took: timedelta
    broken: int
    requests: float


def run() -> list[Measured]:
    few, many = asyncio.run(measured(200)), asyncio.run(measured(1_000))
    return [
        _opened("two replicas, 480 an hour: 200 pull requests open after", few, 26),
        Measured("the same, refused by the enforcing edge", str(few.broken), "0", few.broken == 0),
        _opened("1,000 pull requests without review requests open after", many, 130),
        Measured("the same, refused by the enforcing edge", str(many.broken), "0", many.broken == 0),
        Measured("requests for each pull request", f"{many.requests:.2f}", "≤ 3", many.requests <= 3),
    ]


def _opened(what: str, opened: Opened, most: int) -> Measured:
    minutes = opened.took.total_seconds() / 60
    return Measured(what, f"{minutes:.1f} min", f"≤ {most} min", minutes <= most)


async def measured(pull_requests: int) -> Opened:
    """Opens so many by two replicas; the time is that of the moved clock."""
    clock = ManualClock(START)
    async with World(clock=clock) as world, PostgresServer() as server:
        world.github.edge.limits.rest = world.github.edge.limits.graphql = 100_000
        nodes = await _created(world, pull_requests)
        world.github.edge.limits.secondary = True
        url = server.create_database()
        databases = [await open_database(url) for _ in range(2)]
        try:
            await _planned(databases[0], clock, nodes)
            world.traffic.forget()
            began = clock.now()
            ended = await _worked(world, databases, clock, pull_requests)
        finally:
            for database in databases:
                await database.close()
        requests = len(world.traffic.requests("github"))
        return Opened(ended - began, len(world.github.edge.limits.broken), requests / pull_requests)


async def _worked(world: World, databases: list[Database], clock: ManualClock, wanted: int) -> datetime:
    time = MovedTime(clock, working=len(databases))
    github = GitHub(GitHubAccess(world.github.url, TokenCredentials(world.github.token), 0), clock)

    async def replica(number: int) -> None:
        stores = Stores.of_worker(databases[number], clock, f"replica-{number}")
        budget = Budget(stores[BudgetStore], clock, WriteLimits(), by_owner=False, sleep=time.sleep)
        loop = Loop(clock, budget=budget, sleep=_never)
        slow = Slow(github, time)
        forge, builder = cast(Forge, slow), cast(Builder, slow)
        while await _open(databases[number]) < wanted:
            await stage.tick(stores[ActStore], forge, builder, AnyTag(), refresh, ActOptions(), loop)
            await time.sleep(EVERY)
        time.rest()

    try:
        await asyncio.gather(*(replica(number) for number in range(len(databases))))
    finally:
        await github.close()
    return clock.now()


async def _never(_: float) -> None:
    await asyncio.Event().wait()


async def _open(database: Database) -> int:
    async with database.reading() as connection:
        return int(await connection.scalar(select(func.count()).where(rebuilds.c.state == "open")) or 0)


async def _created(world: World, number: int) -> Mapping[str, str]:
    """Node ids by name."""
    free, nodes = asyncio.Semaphore(CREATED_AT_ONCE), {}

    async def create(each: int) -> None:
        async with free:
            name = await world.github.create_repository(f"shop-{each:04}", {"Dockerfile": DOCKERFILE})
            await world.github.ask("POST", f"/repos/{name}/labels", {"name": "freshness", "color": "ededed"})
            nodes[name] = (await world.github.ask("GET", f"/repos/{name}"))["node_id"]

    await asyncio.gather(*(create(each) for each in range(number)))
    return nodes


async def _planned(database: Database, clock: ManualClock, nodes: Mapping[str, str]) -> None:
    """One publication, a pull request planned in each of the repositories."""
    stores = Stores.of_worker(database, clock, "planner")
    await stores.fill(repositories=len(nodes))
    await stores.plan_all()
    async with database.transaction() as connection:
        for name, node in nodes.items():
            await connection.execute(update(repositories).where(repositories.c.name == name).values(node_id=node))
