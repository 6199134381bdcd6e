"""Bases in short: the few that need somebody or are on their way, and how many others there are."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.reference import Base
from bot.views.bases.base import is_in_trouble
from bot.views.fleet.status import BaseStatus, Status

MOST_SHOWN = 12
"""So many bases are shown, which leaves room for rollouts on a screen."""
LATELY = timedelta(days=7)


class Urgency(StrEnum):
    """How a base stands, what needs somebody first; the value words it behind a number of bases."""

    TROUBLED = "in trouble"
    UNDER_WAY = "with rebuilds under way"
    MOVED = "moved or first seen within 7 days"
    QUIET = "quiet"


@dataclass(frozen=True, slots=True)
class BasesInShort:
    """`shown` are the first by urgency, those that are quiet never; `rest` counts all others by theirs."""

    shown: tuple[BaseStatus, ...]
    rest: Mapping[Urgency, int]


def bases_in_short(status: Status, now: datetime) -> BasesInShort:
    """Picks the bases that need somebody: in trouble, then with most rebuilds under way, then moved last."""
    under_way = _under_way(status)
    urgencies = [(_urgency(each, under_way[each.base], now), each) for each in status.bases]
    order = list(Urgency)

    def rank(pair: tuple[Urgency, BaseStatus]) -> tuple[int, int, timedelta, int]:
        urgency, base_status = pair
        since = now - base_status.moved_at if base_status.moved_at else timedelta.max
        return order.index(urgency), -under_way[base_status.base], since, -base_status.repositories

    notable = sorted((pair for pair in urgencies if pair[0] is not Urgency.QUIET), key=rank)[:MOST_SHOWN]
    others = Counter(urgency for urgency, _ in urgencies) - Counter(urgency for urgency, _ in notable)
    return BasesInShort(
        tuple(each for _, each in notable), {urgency: others[urgency] for urgency in order if others[urgency]}
    )


def _under_way(status: Status) -> Counter[Base]:
    """Counts how many rebuilds that have not ended bring each base."""
    return Counter(
        base
        for rebuild in status.rebuilds
        if not rebuild.state.has_ended
        for base in {target.base for target in rebuild.targets}
    )


def _urgency(base: BaseStatus, under_way: int, now: datetime) -> Urgency:
    if is_in_trouble(base):
        return Urgency.TROUBLED
    if under_way:
        return Urgency.UNDER_WAY
    if base.shows_two is not None:
        return Urgency.MOVED
    if base.moved_at is not None and now - base.moved_at <= LATELY:
        return Urgency.MOVED
    return Urgency.QUIET
