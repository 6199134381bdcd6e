"""`summary`: how the fleet fared, read from the store alone."""

from datetime import timedelta

from bot.domain.clock import Clock
from bot.service.opened_stores import opened_stores
from bot.settings import Settings
from bot.store.pages.fleet.summary import SummaryStore
from bot.views.fleet.summary import Summary


async def read_summary(settings: Settings, clock: Clock, span: timedelta) -> Summary:
    """Reads what happened within `span` up to now."""
    async with opened_stores(settings, clock) as stores:
        return await stores[SummaryStore].summary(clock.now() - span)
