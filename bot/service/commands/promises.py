"""What was measured of upstream's promises, from all that the store has seen or was given of the past."""

from datetime import timedelta

from bot.assess.notices.measuring import measured_lags
from bot.assess.releases import ReleaseIndex
from bot.domain.bases.observation import Observation
from bot.domain.bases.promise import kept_by
from bot.domain.clock import Clock
from bot.domain.reference import Base
from bot.service.wiring.opened_stores import opened_stores
from bot.settings import Settings
from bot.views.bases.promises import Grouping, Promises, group_of


async def read_promises(settings: Settings, grouping: Grouping, last: timedelta, clock: Clock) -> Promises:
    """Reads how upstream kept its promises of late: of the lags that began within `last`.

    How long mirrors and images of the fleet took says nothing of that.
    """
    now = clock.now()
    histories: dict[Base, list[Observation]] = {}
    async with opened_stores(settings, clock) as stores:
        releases = ReleaseIndex(await stores.history.releases())
        async for seen in stores.history.observations():
            if settings.mirror_rules.upstream_of(seen.base) is None:
                histories.setdefault(seen.base, []).append(seen)
        for own in await stores.cascade.own_among(histories):
            del histories[own]
    lags = [lag for lag in measured_lags(histories, releases, now) if now - lag.since <= last]
    rows = kept_by(lags, lambda lag: group_of(lag, grouping))
    return Promises(lags[0].since if lags else None, grouping, rows)
