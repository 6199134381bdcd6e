"""What runs now, read from the store alone."""

from bot.domain.clock import Clock
from bot.service.opened_stores import opened_stores
from bot.settings import Settings
from bot.store.pages.running.places import RunningPlacesStore
from bot.views.paging import WHOLE
from bot.views.running.places import RunningList


async def read_running(settings: Settings, source: str | None, clock: Clock) -> RunningList:
    """Reads what runs in all sources, or in those of one environment or name."""
    async with opened_stores(settings, clock) as stores:
        return await stores[RunningPlacesStore].running(WHOLE, source)
