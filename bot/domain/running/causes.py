"""What kept a running place exposed to a CVE at each moment, by the stations that its fix had passed then."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import StrEnum

from bot.domain.packages.ledger.clocks import Passage, Station, StationClock


class ExposureCause(StrEnum):
    """What kept a place exposed at a moment: the first station that its fix had not passed then."""

    NO_FIX = "no fix"
    BASE = "base"
    IMAGE = "image"
    DEPLOY = "deploy"
    UNKNOWN = "not known"


_CAUSES: Mapping[Station, ExposureCause] = {
    Station.FIX: ExposureCause.NO_FIX,
    Station.BASE: ExposureCause.BASE,
    Station.MIRROR: ExposureCause.BASE,
    Station.OWN_BASE: ExposureCause.BASE,
    Station.IMAGE: ExposureCause.IMAGE,
}
Part = tuple[datetime, datetime]
"""A time from the first moment until before the second."""
Way = tuple[tuple[ExposureCause, Passage, datetime | None], ...]
"""The stations that a fix comes by on its way to an image, in their order, with what is known of each."""


def way_of(clocks: Mapping[Station, StationClock]) -> Way:
    """The stations before what runs; those that the fix does not come by are left out."""
    return tuple(
        (cause, clocks[station].passage, clocks[station].at)
        for station, cause in _CAUSES.items()
        if station in clocks and clocks[station].passage is not Passage.NOT_CONCERNED
    )


def causes_between(way: Way, since: datetime, until: datetime) -> Iterator[tuple[ExposureCause, Part]]:
    """What kept a place exposed through that time. A station that was passed nobody saw when may have been what it
    waited for until the next that is known."""
    begin, is_open = since, False
    for cause, passage, at in way:
        if passage is Passage.PASSED and at is None:
            is_open = True
            continue
        end = min(at, until) if passage is Passage.PASSED and at is not None else until
        is_told = not is_open and passage in (Passage.PASSED, Passage.WAITING)
        if begin < end:
            yield cause if is_told else ExposureCause.UNKNOWN, (begin, end)
        begin, is_open = max(begin, end), False
        if begin >= until:
            return
    yield ExposureCause.UNKNOWN if is_open else ExposureCause.DEPLOY, (begin, until)
