"""The ledger, read from the store alone."""

from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.domain.feeds.advisory import cve_of
from bot.service.opened_stores import opened_stores
from bot.settings import Settings
from bot.store.pages.ledger.ledger import LedgerStore
from bot.views.images.ledger import CvePage, Cves
from bot.views.paging import WHOLE


async def read_cves(settings: Settings, clock: Clock) -> Cves:
    """Reads which CVEs images of the fleet still have."""
    async with opened_stores(settings, clock) as stores:
        return await stores[LedgerStore].cves(WHOLE)


async def read_cve(settings: Settings, name: str, clock: Clock) -> CvePage:
    """Reads where the fix of one CVE is for each image; raises `Failure` where nothing tells of it. Its name may be
    shortened, as in `2026-10019`."""
    cve = cve_of(name)
    async with opened_stores(settings, clock) as stores:
        page = await stores[LedgerStore].cve(cve, WHOLE)
        release_note = await stores[LedgerStore].release_note(cve) if page is None else ""
    if page is None:
        advice = "see `vulnerabilities` and `feeds` in the settings, and `freshness-bot status` for their age"
        fault = release_note or "nothing that was read tells of it"
        raise Failure(Trouble.MISSING, fault, where=name[:64], advice=advice)
    return page
