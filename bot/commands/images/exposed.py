"""The question where a CVE runs, read from the store alone."""

from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.domain.feeds.advisory import cve_of
from bot.service.opened_stores import opened_stores
from bot.settings import Settings
from bot.store.pages.running.answering import exposure_of
from bot.views.running.asking import asked_time
from bot.views.running.exposed import ExposureAnswer, Narrowed

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
