"""Discovery of a real organisation in the sandbox, into a real store."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bot.clients.forges.github import AppCredentials, GitHub, GitHubAccess, Installations, TokenCredentials
from bot.domain.repositories.repository_config import RepositoryConfig
from bot.files.formats.memory import Memory
from bot.fleet.discover.ports import DiscoverOptions
from bot.fleet.discover.rows.discover import DiscoverStore
from bot.fleet.discover.selection import Selection
from bot.fleet.discover.tick import DiscoverTally, tick
from bot.reconcile.loop import Loop
from bot.store.engine.codec import load
from bot.store.engine.database import Database, open_database
from bot.store.engine.queue.claiming import Worker
from bot.store.engine.queue.leases import bring_forward
from bot.store.rows.repositories.tables import repositories
from bot.store.stores import Stores
from bot.store.views.repositories import RepositoryViewsStore
from bot.views.repositories.explanation import Explanation
from sandbox.edges.traffic import Asked
from sandbox.world import World
from tests.e2e.staging import AheadClock
from tests.migrated import new_sqlite

CONTOSO = Selection(include=("contoso/*",))


@dataclass(slots=True)
class Discovery:
    """The bot's discovery, and what the tests ask of its store."""

    world: World
    database: Database
    host: GitHub
    clock: AheadClock
    store: DiscoverStore
    views: RepositoryViewsStore
    memory: Memory = field(default_factory=Memory)

    async def tick(self, selection: Selection = CONTOSO) -> DiscoverTally:
        """Lists and reads; the traffic log begins anew."""
        self.world.traffic.forget()
        await bring_forward(self.database, self.clock.now())
        return await tick(self.store, self.host, self.memory, DiscoverOptions(selection), Loop(self.clock))

    def requests(self, path: str = "") -> list[Asked]:
        return self.world.traffic.requests("github", path=path)

    async def names(self) -> set[str]:
        return {name.partition("/")[2] for name in (await self.store.known_fleet()).names}

    async def explain(self, name: str) -> Explanation:
        return await self.views.explain(f"contoso/{name}")

    async def config(self, name: str) -> RepositoryConfig:
        async with self.database.transaction() as connection:
            found = select(repositories.c.config).where(repositories.c.name == f"contoso/{name}")
            return load((await connection.execute(found)).scalar_one(), RepositoryConfig)

    async def paths(self, name: str) -> list[str]:
        return [usage.path for usage, _, _ in (await self.explain(name)).usages]


def app_of(world: World) -> AppCredentials:
    return AppCredentials(world.github.app_id, world.github.private_key)


@pytest.fixture(params=["token", "app"])
async def discovery(world: World, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Discovery]:
    """Both ways in: a token names the organisation, a GitHub App lists its installation."""
    credentials = TokenCredentials(world.github.token) if request.param == "token" else app_of(world)
    clock = AheadClock()
    database = await open_database(new_sqlite(tmp_path / "fleet.db"))
    stores = Stores(database, Worker("test"), clock)
    access = GitHubAccess(world.github.url, credentials, seconds_between_writes=0)
    host: Any = GitHub(access, clock) if request.param == "token" else Installations(access, clock)
    yield Discovery(world, database, host, clock, stores[DiscoverStore], stores[RepositoryViewsStore])
    await host.close()
    await database.close()
