"""How far upstream was behind, summed up over all bases."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from bot.backtest.report import Delays, ReleaseLagRow, SiblingRow, UpstreamSection
from bot.domain.bases.notice import Notice
from bot.domain.bases.observation import Observation
from bot.domain.feeds.advisory import Advisory
from bot.domain.reference import Base
from bot.fleet.assess.baseline import BaseStanding
from bot.fleet.assess.notices.rules import end_of_life_notices, moved_underneath, waiting_for_base, withdrawn
from bot.upstream.dotnet.lags import release_lag, sibling_lag
from bot.upstream.dotnet.releases import ReleaseIndex, family_name
from bot.upstream.dotnet.tag_family import sibling_of

RECENTLY = timedelta(days=90)
ENDING = timedelta(days=365)


def look_back(
    histories: Mapping[Base, Sequence[Observation]],
    standings: Mapping[Base, BaseStanding],
    releases: ReleaseIndex,
    advisories: Mapping[str, Advisory],
    now: datetime,
) -> UpstreamSection:
    """Sums up how far upstream was behind, as it stood at `now`, the end of the log."""
    current = [standings[base] for base in sorted(standings)]
    moved = [notice for base in sorted(histories) for notice in moved_underneath(histories[base])]
    return UpstreamSection(
        siblings=_siblings(histories, now),
        releases=_releases(histories, releases),
        withdrawn=tuple(notice for notice in withdrawn(current, releases, now) if notice.delay <= RECENTLY),
        ending=end_of_life_notices(current, releases, now, ENDING),
        waiting=waiting_for_base(current, releases, advisories, now),
        moved_underneath=tuple(sorted(moved, key=lambda notice: (notice.since, notice.base))),
    )


def _siblings(histories: Mapping[Base, Sequence[Observation]], now: datetime) -> tuple[SiblingRow, ...]:
    rows: list[SiblingRow] = []
    for base in sorted(histories):
        sibling = sibling_of(base)
        if sibling is None or sibling not in histories:
            continue
        lags = sibling_lag(histories[sibling], histories[base], now)
        if lags:
            rows.append(_sibling_row(base, sibling, lags))
    return tuple(rows)


def _sibling_row(base: Base, sibling: Base, lags: Sequence[Notice]) -> SiblingRow:
    followed = [lag.delay for lag in lags if lag.until is not None]
    return SiblingRow(
        base=base.short,
        sibling=sibling.short,
        updates=len(lags),
        together=sum(not delay for delay in followed),
        followed=Delays.of(followed),
        pending=len(lags) - len(followed),
    )


def _releases(histories: Mapping[Base, Sequence[Observation]], releases: ReleaseIndex) -> tuple[ReleaseLagRow, ...]:
    by_family: dict[str, list[timedelta]] = defaultdict(list)
    for base in sorted(histories):
        by_family[family_name(base)] += [lag.delay for lag in release_lag(histories[base], releases)]
    return tuple(
        ReleaseLagRow(
            family=family,
            early=sum(delay < timedelta() for delay in delays),
            ahead=Delays.of(-delay for delay in delays if delay < timedelta()),
            behind=Delays.of(delay for delay in delays if delay >= timedelta()),
        )
        for family, delays in sorted(by_family.items())
        if delays
    )
