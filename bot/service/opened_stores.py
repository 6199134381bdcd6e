"""The database of the settings, opened alone, for what needs no client."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial

from bot.domain.clock import Clock
from bot.domain.log import log
from bot.fleet.wiring.pace import pace_of
from bot.service.logs import quiet_libraries, set_up
from bot.settings import Settings, secret
from bot.store.engine.database import Database, open_database
from bot.store.engine.queue.claiming import Worker
from bot.store.engine.queue.leases import this_worker
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


def stores_of(settings: Settings, database: Database, worker: Worker, clock: Clock) -> Stores:
    """The stores as the settings have them."""
    platforms = settings.packages.stored_platforms
    return Stores(database, worker, clock, pace_of(settings), settings.gate.max_age, platforms)


def worker_of(settings: Settings) -> Worker:
    """This process, by whose intervals a date is told that no schedule can have made."""
    intervals = (each for _, each in settings.schedule if isinstance(each, timedelta))
    return replace(this_worker(), interval=max(intervals))


def store_url(settings: Settings) -> str:
    """The database's URL with its password put in, where that stands in a file."""
    url, password_file = settings.store.url, settings.store.password_file
    if password_file is None:
        return url
    from sqlalchemy.engine import make_url

    with_password = make_url(url).set(password=secret(password_file, "store.password_file"))
    return with_password.render_as_string(hide_password=False)
