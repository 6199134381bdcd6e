"""Which workflows the fleet has, as far as the store knows."""

from bot.domain.clock import Clock
from bot.domain.failure import Failure
from bot.fleet.wiring.stores import store_url
from bot.settings import Settings
from bot.store.engine.database import looked_into
from bot.store.engine.queue.leases import this_worker
from bot.store.views.fleet import FleetViewsStore


async def known_workflows(settings: Settings, clock: Clock) -> frozenset[str]:
    """File names; none where no store can be read, since settings are checked before there is one."""
    try:
        async with looked_into(store_url(settings)) as database:
            return await FleetViewsStore(database, this_worker(), clock).workflows()
    except Failure:
        return frozenset()
