"""The exposure report, read from the store alone."""

from bot.domain.clock import Clock
from bot.service.opened_stores import opened_stores
from bot.settings import Settings
from bot.store.pages.running.report import ExposureReportStore
from bot.views.running.report import ExposureReport


async def read_report(settings: Settings, days: int, clock: Clock) -> ExposureReport:
    """Reads how long what ran in the last days was exposed to which CVEs."""
    async with opened_stores(settings, clock) as stores:
        return await stores[ExposureReportStore].report(days)
