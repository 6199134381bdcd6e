"""Where a CVE runs, with who moves it on: for commands, pages and the API."""

from bot.domain.running.exposure import Asked, PlaceState
from bot.store.pages.ledger.ledger import LedgerStore
from bot.store.pages.running.exposure import ExposureStore
from bot.store.stores import Stores
from bot.views.paging import WHOLE
from bot.views.running.exposed import ExposureAnswer, Narrowed, with_movers


async def exposure_of(stores: Stores, cve: str, asked: Asked, narrowed: Narrowed) -> ExposureAnswer:
    """The answer with who moves exposed places on, for which the ledger is asked where there are any."""
    answer = await stores[ExposureStore].exposure(cve, asked, narrowed)
    if not answer.of(PlaceState.EXPOSED):
        return answer
    page = await stores[LedgerStore].cve(cve, WHOLE)
    return answer if page is None else with_movers(answer, page.images.items)
