"""`status` and `plan`: how things stand, read from the store alone."""

from dataclasses import replace

from bot.commands.look.waiting import read_holds
from bot.domain.clock import Clock
from bot.service.opened_stores import opened_stores
from bot.settings import Settings
from bot.store.views.fleet import FleetViewsStore
from bot.views.fleet.status import Status


async def read_status(settings: Settings, clock: Clock) -> Status:
    """Reads how things stand."""
    async with opened_stores(settings, clock) as stores:
        full = await stores[FleetViewsStore].lack_of_room()
        status, waits = await stores[FleetViewsStore].status(), await read_holds(stores, settings, clock.now())
        return replace(status, waits=waits, no_room=None if full is None else full.told)
