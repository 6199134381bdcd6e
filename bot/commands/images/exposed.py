"""The question where a CVE runs, read from the store alone."""

from datetime import UTC, date, datetime, time

from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.domain.feeds.advisory import cve_of
from bot.domain.running.exposure import Asked, PlaceState
from bot.service.opened_stores import opened_stores
from bot.settings import Settings
from bot.store.pages.ledger.ledger import LedgerStore
from bot.store.pages.running.exposure import ExposureStore
from bot.store.stores import Stores
from bot.views.paging import MOST_PER_PAGE, Cut
from bot.views.running.exposed import ExposureAnswer, Narrowed, with_movers

_ALL = Cut(1, 100 * MOST_PER_PAGE)
_LONGEST = 64


async def read_exposure(
    settings: Settings, name: str, at: str | None, since: str | None, narrowed: Narrowed, clock: Clock
) -> ExposureAnswer:
    """Reads which running places have a CVE, or had it at that time. Raises `Failure` for a date that is none."""
    if len(name) > _LONGEST:
        raise Failure(Trouble.MALFORMED, f"{name[:_LONGEST]!r}… is no name of a CVE")
    asked = asked_time(at, since, clock.now())
    async with opened_stores(settings, clock) as stores:
        return await exposure_of(stores, cve_of(name), asked, narrowed)


async def exposure_of(stores: Stores, cve: str, asked: Asked, narrowed: Narrowed) -> ExposureAnswer:
    """The answer with who moves exposed places on, for which the ledger is asked where there are any."""
    answer = await stores[ExposureStore].exposure(cve, asked, narrowed)
    if not answer.of(PlaceState.EXPOSED):
        return answer
    page = await stores[LedgerStore].cve(cve, _ALL)
    return answer if page is None else with_movers(answer, page.images.items)


def asked_time(at: str | None, since: str | None, now: datetime) -> Asked:
    """The time that is asked of; a day is its end, or as `since` its beginning. Raises `Failure`."""
    if at is not None and since is not None:
        raise Failure(Trouble.MALFORMED, "--at and --since are two questions", advice="give one of them")
    moment = now if at is None else _moment(at, "--at", time.max)
    begin = None if since is None else _moment(since, "--since", time.min)
    if at is not None and moment > now:
        moment = now if moment.date() == now.date() else moment
    if moment > now or (begin is not None and begin >= now):
        where = "--at" if at is not None else "--since"
        raise Failure(Trouble.MALFORMED, "that time is yet to come", where=where)
    return Asked(moment, begin)


def _moment(text: str, where: str, of_day: time) -> datetime:
    try:
        if len(text) == len("2026-03-10"):
            moment = datetime.combine(date.fromisoformat(text), of_day, UTC)
        else:
            moment = datetime.fromisoformat(text)
            moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        advice = "as in 2026-03-10 or 2026-03-10T14:30+01:00"
        raise Failure(Trouble.MALFORMED, f"{text[:40]!r} is no date", where=where, advice=advice) from error
