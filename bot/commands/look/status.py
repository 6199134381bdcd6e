"""`status` and `plan`: how things stand, read from the store alone."""

from dataclasses import replace
from datetime import datetime

from bot.domain.clock import Clock
from bot.domain.rollouts.timing.waiting import holds_of, release_rules_at, rollout_options_of
from bot.domain.rollouts.timing.waves import Hold
from bot.service.opened_stores import opened_stores
from bot.settings import Settings
from bot.store.stores import Stores
from bot.store.views.fleet import FleetViewsStore
from bot.store.views.rollouts import RolloutViewsStore
from bot.views.fleet.status import Status


async def read_holds(stores: Stores, settings: Settings, now: datetime) -> dict[int, Hold]:
    """Says for each rebuild that waits for more than its turn, by its id, what for."""
    options = rollout_options_of(settings.rules)
    return holds_of(await stores[RolloutViewsStore].waits(release_rules_at(now, options)), options, now)


async def read_status(settings: Settings, clock: Clock) -> Status:
    """Reads how things stand."""
    async with opened_stores(settings, clock) as stores:
        return await status_in(stores, settings, clock.now())


async def status_in(stores: Stores, settings: Settings, now: datetime) -> Status:
    """Reads how things stand, what rebuilds wait for included, where the store is open already."""
    full = await stores[FleetViewsStore].lack_of_room()
    status, waits = await stores[FleetViewsStore].status(), await read_holds(stores, settings, now)
    return replace(status, waits=waits, no_room=None if full is None else full.told)
