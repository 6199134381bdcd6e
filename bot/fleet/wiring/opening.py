"""Settings to a bot: every client and store made once, handed to the stages as the ports they ask for."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

from bot.clients.feeds.documents import FeedReader
from bot.clients.feeds.dumps import DumpReader
from bot.clients.feeds.osv_api import OsvClient
from bot.clients.http.client import Http
from bot.clients.registry import Registry
from bot.domain.clock import Clock
from bot.files.formats.repository import Memory
from bot.fleet.bot import Bot
from bot.fleet.meter import Meter, MeteredHooks
from bot.fleet.verify.images.judging import Observed
from bot.fleet.watch.vulnerabilities.tick import Publishers
from bot.fleet.wiring.adapters import destinations_of
from bot.fleet.wiring.artifacts import ForgeArtifacts
from bot.fleet.wiring.collecting import collected_seldom
from bot.fleet.wiring.forges import covers_of, opened_forge
from bot.fleet.wiring.grants import (
    budget_of,
    feed_headers,
    feed_hosts,
    http_rules,
    known_hosts,
)
from bot.fleet.wiring.registries.accesses import accesses_of
from bot.fleet.wiring.registries.attesting import attesting_of
from bot.fleet.wiring.registries.trust import Trusting
from bot.fleet.wiring.stores import store_url, stores_of, worker_of
from bot.images.trust.looked_once import LookedOnce
from bot.reconcile.loop import Loop
from bot.settings import Settings
from bot.store.engine.database import Database, open_database
from bot.upstream.bundle.no_feeds import NoFeeds
from bot.upstream.osv.dump import MOST_BYTES


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
        forge = await open_parts.enter_async_context(opened_forge(settings, clock, meter))
        worker = worker_of(settings)
        stores = stores_of(settings, database, worker, clock)
        hosts = feed_hosts(settings)
        feed_reader = FeedReader(http, clock, hosts, feed_headers(settings))
        registry = Registry(http, accesses, clock)
        yield Bot(
            settings=settings,
            clock=clock,
            loop=Loop(clock, MeteredHooks(meter), budget_of(settings, stores.budgets, clock), covers_of(settings)),
            worker=worker,
            database=database,
            forge=forge,
            artifacts=ForgeArtifacts(forge, http),
            registry=registry,
            beside=LookedOnce(registry, clock),
            feed_reader=NoFeeds() if settings.feeds.offline else feed_reader,
            publishers=Publishers(DumpReader(http, MOST_BYTES), OsvClient(http)),
            destinations=destinations_of(settings, http),
            edits_every=edits_every,
            memory=Memory(),
            observed=Observed(settings.images.judged_platforms()),
            trusting=Trusting(settings, registry, stores.watch, clock),
            attesting=attesting_of(settings, registry),
            stores=stores,
            policy=settings.rules,
            meter=meter,
        )
