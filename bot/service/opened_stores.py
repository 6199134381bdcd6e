"""The database of the settings, opened alone, for what needs no client."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from bot.domain.clock import Clock
from bot.domain.log import log
from bot.fleet.wiring.stores import store_url, stores_of, worker_of
from bot.service.logs import quiet_libraries, set_up
from bot.settings import Settings
from bot.store.engine.database import open_database
from bot.store.stores import Stores


@asynccontextmanager
async def opened_stores(settings: Settings, clock: Clock) -> AsyncIterator[Stores]:
    """The stores alone, for commands; what these log goes to standard error, beside their output."""
    quiet_libraries()
    with log.set_up_by(partial(set_up, "text", verbose=False)):
        database = await open_database(store_url(settings))
        try:
            yield stores_of(settings, database, worker_of(settings), clock)
        finally:
            await database.close()
