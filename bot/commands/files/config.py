"""What `config` asks the store: which bases are watched by no settings, and which workflows are known."""

from bot.domain.bases.dotnet import Unwatched, unwatched
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


async def unwatched_in_fleet(settings: Settings, clock: Clock) -> tuple[Unwatched, ...]:
    """Finds what is not watched; nothing where no store can be read: a settings file is checked before there is
    one, and on other machines."""
    try:
        async with looked_into(store_url(settings)) as database:
            references = await FleetViewsStore(database, this_worker(), clock).references_without_base()
    except Failure:
        return ()
    return unwatched(references, settings.bases, settings.registries.keys())
