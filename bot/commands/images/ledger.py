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
    """Reads where the fix of one CVE is for each image; raises `Failure` for what is neither the name of a CVE nor
    told of. The name may be shortened, as in `2026-10019`."""
    async with opened_stores(settings, clock) as stores:
        page = await stores[LedgerStore].cve(cve_of(name), WHOLE)
    if page is None:
        raise no_cve(name)
    return page


def no_cve(name: str) -> Failure:
    """The failure for what is neither the name of a CVE nor told of."""
    fault = "is no name of a CVE, and nothing that was read tells of it"
    return Failure(Trouble.MISSING, fault, where=name[:64], advice="write it as in CVE-2026-21518")
