"""`history`: when a base moved and how late upstream was, read from the store alone."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from bot.domain.bases.notice import Notice
from bot.domain.bases.observation import Observation
from bot.domain.clock import Clock
from bot.domain.reference import Base
from bot.service.opened_stores import opened_stores
from bot.settings import Settings
from bot.store.history import HistoryStore
from bot.store.views.bases import BaseViewsStore
from bot.upstream.dotnet.lags import measured_lags
from bot.upstream.dotnet.releases import ReleaseIndex
from bot.views.bases.base import History


async def read_base_history(settings: Settings, base: str, clock: Clock) -> History:
    """Reads the changes of a base; raises `Failure` where the store knows no such one."""
    async with opened_stores(settings, clock) as stores:
        releases = ReleaseIndex(await stores[HistoryStore].releases())
        observations = await stores[BaseViewsStore].observations_of(base)
        base_changes = await stores[BaseViewsStore].changes_of(base)
        watched = await stores[BaseViewsStore].watched()
        lags = tuple(_lags(base, observations, releases, clock.now(), watched))
        return History(
            tuple(change for change, _ in base_changes), lags, tuple(packages for _, packages in base_changes)
        )


def _lags(
    name: str,
    observations: Mapping[Base, Sequence[Observation]],
    releases: ReleaseIndex,
    now: datetime,
    watched: Collection[Base],
) -> list[Notice]:
    """Measures how late upstream was each time, by the time when it began."""
    lags = measured_lags(observations, releases, now, watched)
    return [lag for lag in lags if lag.base.is_called(name)]
