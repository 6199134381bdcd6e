"""The ledger, read from the store alone."""

from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.service.opened_stores import opened_stores
from bot.settings import Settings
from bot.store.pages.ledger.ledger import LedgerStore
from bot.views.images.ledger import CvePage, Cves
from bot.views.paging import MOST_PER_PAGE, Cut

_ALL = Cut(1, 100 * MOST_PER_PAGE)


async def read_cves(settings: Settings, clock: Clock) -> Cves:
    """Reads which CVEs images of the fleet still have."""
    async with opened_stores(settings, clock) as stores:
        return await stores[LedgerStore].cves(_ALL)


def cve_named(text: str) -> str:
    """Gives the name of a CVE as publishers write it; other records keep the case of theirs."""
    return text.upper() if text[:4].upper() == "CVE-" else text


async def read_cve(settings: Settings, name: str, clock: Clock) -> CvePage:
    """Reads where the fix of one CVE is for each image; raises `Failure` where nothing tells of it."""
    cve = cve_named(name)
    async with opened_stores(settings, clock) as stores:
        page = await stores[LedgerStore].cve(cve, _ALL)
        release_note = await stores[LedgerStore].release_note(cve) if page is None else ""
    if page is None:
        advice = "see `vulnerabilities` and `feeds` in the settings, and `freshness-bot status` for their age"
        fault = release_note or "nothing that was read tells of it"
        raise Failure(Trouble.MISSING, fault, where=name[:64], advice=advice)
    return page
