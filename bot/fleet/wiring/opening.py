"""Settings to a bot: every client and store made once, and what stages want open."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

from bot.clients.http.client import Http
from bot.clients.registry import Registry
from bot.domain.clock import Clock
from bot.fleet.meter import Meter, MeteredHooks
from bot.fleet.stage import Bot
from bot.fleet.stages import STAGES
from bot.fleet.wiring.collecting import collected_seldom
from bot.fleet.wiring.forges import covers_of, opened_forges
from bot.fleet.wiring.grants import (
    budget_of,
    http_rules,
    known_hosts,
)
from bot.fleet.wiring.registries.accesses import accesses_of
from bot.fleet.wiring.stores import store_url, stores_of, worker_of
from bot.reconcile.loop import Loop
from bot.settings import Settings
from bot.store.engine.budgets import BudgetStore
from bot.store.engine.database import Database, open_database


@asynccontextmanager
async def open_bot(
    settings: Settings, clock: Clock, database: Database | None = None, *, edits_every: timedelta = timedelta(0)
) -> AsyncIterator[Bot]:
    """Opens everything and closes it again; raises `Failure` or `BadSettings` where something is missing.

    `database` is one that the caller opened and closes, where it is not the one in the settings.
    """
    async with AsyncExitStack() as open_parts:
        open_parts.enter_context(collected_seldom())
        if database is None:
            database = await open_database(store_url(settings))
            open_parts.push_async_callback(database.close)
            async with database.transaction():
                pass  # a database that may only be read is refused before anything begins
        meter = Meter(known_hosts(settings))
        accesses = accesses_of(settings)
        http = await open_parts.enter_async_context(Http(clock, http_rules(settings, accesses), observer=meter))
        opened = await open_parts.enter_async_context(opened_forges(settings, clock, meter))
        worker = worker_of(settings)
        stores = stores_of(settings, database, worker, clock)
        budget = budget_of(settings, stores[BudgetStore], clock)
        bot = Bot(
            settings=settings,
            clock=clock,
            loop=Loop(clock, MeteredHooks(meter), budget, covers_of(settings)),
            worker=worker,
            database=database,
            stores=stores,
            http=http,
            forges=opened.forges,
            forge=opened.forge,
            builder=opened.builder,
            hosts=opened.hosts,
            registry=Registry(http, accesses, clock),
            policy=settings.rules,
            meter=meter,
            edits_every=edits_every,
        )
        for stage in STAGES:
            bot.open(stage.parts)
        yield bot
