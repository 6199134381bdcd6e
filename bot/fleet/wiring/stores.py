"""The stores as the settings have them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bot.domain.clock import Clock
from bot.domain.host import Host
from bot.domain.repositories.repository import AZURE_DEVOPS
from bot.domain.rollouts.timing.pace import Pace, WriteLimits
from bot.domain.rollouts.timing.waiting import rollout_options_of
from bot.settings import Settings, secret
from bot.store.engine.database import Database
from bot.store.engine.engines import with_password
from bot.store.engine.queue.claiming import Worker
from bot.store.engine.queue.leases import this_worker
from bot.store.stores import StoreOptions, Stores

if TYPE_CHECKING:
    from bot.images.vex.statements import VexStatement


def pace_of(settings: Settings) -> Pace:
    """Reads from the settings what bounds rollouts: their options and the limits of writes."""
    by_owner = settings.github.app is not None
    azure, forges = settings.azure_devops, dict[str, Host]()
    if azure is not None and azure.repositories.include:
        forges[AZURE_DEVOPS] = Host(urlsplit(azure.url).netloc, by_owner=True)
    return Pace(rollout_options_of(settings.rules), write_limits(settings), by_owner, forges=forges)


def write_limits(settings: Settings) -> WriteLimits:
    """Returns how much the bot may write a minute and an hour to the repositories of one account."""
    limits = settings.limits
    apart = timedelta(seconds=settings.github.seconds_between_writes)
    return WriteLimits(limits.content_per_minute, limits.content_per_hour, apart)


def stores_of(settings: Settings, database: Database, worker: Worker, clock: Clock) -> Stores:
    """Opens the stores with the times and limits of the settings."""
    gate, platforms = settings.gate, settings.packages.stored_platforms
    statements, promised = partial(_statements, gate.vex), settings.rules.fix_within
    has_sources = bool(settings.running.sources)
    options = StoreOptions(pace_of(settings), gate.max_age, platforms, statements, promised, has_sources)
    return Stores(database, worker, clock, options)


def _statements(paths: Sequence[Path]) -> "Sequence[VexStatement]":
    """Reads VEX documents anew, so that another one counts without a restart. Raises `Failure`."""
    if not paths:
        return ()
    from bot.fleet.wiring.vex import read_vex_file

    return [statement for path in paths for statement in read_vex_file(path)[1]]


def worker_of(settings: Settings) -> Worker:
    """This process, by whose intervals a date is told that no schedule can have made."""
    intervals = (each for _, each in settings.schedule if isinstance(each, timedelta))
    return replace(this_worker(), interval=max(intervals))


def store_url(settings: Settings) -> str:
    """The database's URL with its password put in, where that stands in a file."""
    url, password_file = settings.store.url, settings.store.password_file
    if password_file is None:
        return url
    return with_password(url, secret(password_file, "store.password_file"))
