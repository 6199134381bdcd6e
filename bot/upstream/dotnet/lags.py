"""How late upstream was each time, over all that was ever seen of bases."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from bot.domain.bases.notice import Notice
from bot.domain.bases.observation import Observation
from bot.domain.reference import Base
from bot.fleet.assess.notices.rules import awaited_release, release_lag, sibling_lag
from bot.upstream.dotnet.releases import ReleaseIndex
from bot.upstream.dotnet.tag_family import sibling_of


def measured_lags(
    histories: Mapping[Base, Sequence[Observation]],
    releases: ReleaseIndex,
    now: datetime,
    watched: Collection[Base],
) -> list[Notice]:
    """Measures the lags of .NET releases and OS updates, by when each began; histories are oldest first.

    Nothing is awaited of a base that was withdrawn, or is not among the `watched`.
    """
    found: list[Notice] = []
    for base, history in histories.items():
        found += release_lag(history, releases)
        is_awaited = base in watched and bool(history) and history[-1].digest is not None
        if is_awaited:
            found += awaited_release(history, releases, now)
        sibling = sibling_of(base)
        if sibling is not None and sibling in histories:
            lags = sibling_lag(histories[sibling], history, now)
            found += [lag for lag in lags if lag.until is not None or is_awaited]
    return sorted(found, key=lambda notice: (notice.since, notice.base))
