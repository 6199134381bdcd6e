"""The views that commands show, read from the store alone."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.assess.notices.rules import release_lag, sibling_lag
from bot.assess.releases import ReleaseIndex
from bot.assess.tag_family import sibling_of
from bot.domain.clock import Clock
from bot.domain.notice import Notice
from bot.domain.observation import Observation
from bot.domain.reference import Base
from bot.service.opened_stores import opened_stores
from bot.settings import Settings
from bot.views.explanation import Explanation
from bot.views.history import History
from bot.views.status import Status


async def read_status(settings: Settings, clock: Clock) -> Status:
    """Reads how things stand."""
    async with opened_stores(settings, clock) as stores:
        return await stores.views.status()


async def read_explanation(settings: Settings, repository: str, clock: Clock) -> Explanation:
    """Reads what is known of a repository; raises `Failure` where the store knows no such one."""
    async with opened_stores(settings, clock) as stores:
        return await stores.views.explain(repository)


async def read_history(settings: Settings, base: str, clock: Clock) -> History:
    """Reads the changes of a base; raises `Failure` where the store knows no such one."""
    async with opened_stores(settings, clock) as stores:
        releases = ReleaseIndex(await stores.history.releases())
        seen = await stores.views.observations_of(base)
        return History(tuple(await stores.views.changes_of(base)), tuple(_lags(base, seen, releases, clock.now())))


def _lags(
    name: str, seen: Mapping[Base, Sequence[Observation]], releases: ReleaseIndex, now: datetime
) -> list[Notice]:
    """How late upstream was each time, by the time when it began."""
    found: list[Notice] = []
    for base, history in seen.items():
        if name not in (str(base), base.short):
            continue
        found += release_lag(history, releases)
        if (sibling := sibling_of(base)) is not None and sibling in seen:
            found += sibling_lag(seen[sibling], history, now)
    return sorted(found, key=lambda notice: (notice.since, notice.base))
