"""The question where a CVE runs, read from the store alone."""

from bot.commands.images.ledger import no_cve
from bot.domain.clock import Clock
from bot.domain.feeds.advisory import cve_of, is_cve
from bot.service.opened_stores import opened_stores
from bot.settings import Settings
from bot.store.pages.running.answering import exposure_of
from bot.views.running.asking import asked_time
from bot.views.running.exposed import ExposureAnswer, Narrowed

_LONGEST = 64


async def read_exposure(
    settings: Settings, name: str, at: str | None, since: str | None, narrowed: Narrowed, clock: Clock
) -> ExposureAnswer:
    """Reads which running places have a CVE, or had it at that time. Raises `Failure` for a date that is none, and
    for what is neither the name of a CVE nor told of."""
    if len(name) > _LONGEST:
        raise no_cve(name)
    asked = asked_time(at, since, clock.now())
    async with opened_stores(settings, clock) as stores:
        answer = await exposure_of(stores, cve_of(name), asked, narrowed)
    if not answer.is_told and not is_cve(name):
        raise no_cve(name)
    return answer
