"""What the events of an affected package mean: the versions that OSV's algorithm finds affected, as ranges.

The rules are those of "Evaluation" in https://ossf.github.io/osv-schema: events count in the order of their
versions, however they are written, what is listed one by one is affected whatever ranges say, and a limit bounds
each range.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cmp_to_key
from typing import Annotated

from pydantic import StringConstraints

from bot.domain.packages.cves.vulnerability import VersionRange
from bot.domain.packages.versions import BadVersion, compare_versions
from bot.upstream.feeds.reading import FeedShape

Version = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=r"^[^\x00-\x1f]*$")]
_FIRST = "0"
"""Stands for what comes before every version."""
_ENDLESS = "*"


class RangeEvent(FeedShape):
    """One event, of which one field is there."""

    introduced: Version | None = None
    fixed: Version | None = None
    last_affected: Version | None = None
    limit: Version | None = None

    @property
    def at(self) -> str:
        return self.introduced or self.fixed or self.last_affected or ""


def ranges_of(package_type: str, events: Sequence[RangeEvent]) -> Iterator[VersionRange]:
    """The ranges that events make. Where a version cannot be compared, events count as they are written."""
    limit = _limit(package_type, [each.limit for each in events if each.limit])
    begun: str | None = None
    for event in _sort_events(package_type, [each for each in events if each.at]):
        if event.introduced is not None:
            if begun is None:
                begun = "" if event.introduced == _FIRST else event.introduced
        elif begun is not None:
            yield from _bound_range(package_type, begun, event, limit)
            begun = None
    if begun is not None:
        yield from _bound_range(package_type, begun, RangeEvent(), limit)


def _bound_range(package_type: str, begun: str, end: RangeEvent, limit: str) -> Iterator[VersionRange]:
    """One range, with the limit where it ends behind that; none where it begins behind it."""
    fixed, last = end.fixed or "", end.last_affected or ""
    try:
        if limit and begun and compare_versions(package_type, begun, limit) >= 0:
            return
        if limit and (fixed or last) and compare_versions(package_type, fixed or last, limit) < 0:
            limit = ""
    except BadVersion:
        pass  # what holds a version asks again, and cannot tell
    yield VersionRange(begun, fixed, last, limit)


def _limit(package_type: str, limits: Sequence[str]) -> str:
    """The last of several; empty where there is none, or none that can be compared."""
    if _ENDLESS in limits or not limits:
        return ""

    def order(one: str, other: str) -> int:
        return compare_versions(package_type, one, other)

    try:
        return max(limits, key=cmp_to_key(order))
    except BadVersion:
        return ""


def _sort_events(package_type: str, events: Sequence[RangeEvent]) -> list[RangeEvent]:
    def order(one: RangeEvent, other: RangeEvent) -> int:
        if _FIRST in (one.introduced, other.introduced):
            return (other.introduced == _FIRST) - (one.introduced == _FIRST)
        of_versions = compare_versions(package_type, one.at, other.at)
        return of_versions or (one.last_affected is not None) - (other.last_affected is not None)

    try:
        return sorted(events, key=cmp_to_key(order))
    except BadVersion:
        return list(events)


def comparisons(events: Sequence[Sequence[RangeEvent]], versions: int) -> int:
    """How often versions are compared, at most about, to make ranges of these lists of events and to look for so
    many versions in them."""
    ordering = sum(len(several) * len(several).bit_length() for several in events)
    made = sum(each.introduced is not None for several in events for each in several)
    return ordering + made * versions


def beside_ranges(package_type: str, versions: Iterable[str], ranges: Sequence[VersionRange]) -> tuple[str, ...]:
    """Those of the versions listed one by one that no range holds."""
    return tuple(each for each in versions if not any(_holds(one, package_type, each) for one in ranges))


def _holds(one: VersionRange, package_type: str, version: str) -> bool:
    try:
        return one.holds(package_type, version)
    except BadVersion:
        return False
