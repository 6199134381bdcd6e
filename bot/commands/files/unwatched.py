"""Which .NET images of the fleet nobody watches, as far as the store knows."""

from bot.domain.bases.dotnet_image import Unwatched, unwatched
from bot.domain.clock import Clock
from bot.domain.failure import Failure
from bot.fleet.wiring.stores import store_url
from bot.settings import Settings
from bot.store.engine.database import looked_into
from bot.store.engine.queue.leases import this_worker
from bot.store.views.fleet import FleetViewsStore


async def unwatched_in_fleet(settings: Settings, clock: Clock) -> tuple[Unwatched, ...]:
    """Finds what is not watched; nothing where no store can be read: a settings file is checked before there is
    one, and on other machines."""
    try:
        async with looked_into(store_url(settings)) as database:
            references = await FleetViewsStore(database, this_worker(), clock).references_without_base()
    except Failure:
        return ()
    return unwatched(references, settings.bases, settings.registries.keys())
