"""What was measured of upstream's promises, from all that the store has seen or was given of the past."""

from datetime import timedelta

from bot.domain.clock import Clock
from bot.service.opened_stores import opened_stores
from bot.settings import Settings
from bot.store.pages.bases.measured import PromisesStore
from bot.views.bases.promises import Grouping, Promises, promises_by


async def read_promises(settings: Settings, grouping: Grouping, last: timedelta, clock: Clock) -> Promises:
    """Reads how upstream kept its promises of late: of the lags that began within `last`."""
    async with opened_stores(settings, clock) as stores:
        lags = await stores[PromisesStore].lags()
    return promises_by(grouping, lags, last, clock.now())
