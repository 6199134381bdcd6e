"""The images of one CVE in groups: those whose fix is stuck at the same station, and who can move them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from bot.domain.packages.ledger.clocks import Passage, Station
from bot.domain.packages.ledger.entries import StationTime
from bot.views.images.ledger import LedgerRow, StationRow

ITS_REPOSITORY = "the repository that builds each"
"""Who can move images that wait for their own repositories, of which many share one group."""
MOST_MOVERS = 3
"""So many have a group of their own at one station, those with the most images; the rest share one. So many
repositories are named where images wait for their own."""


@dataclass(frozen=True, slots=True)
class GroupClock:
    """One clock of all images of a group that it concerns. `first` and `last` are when a fix passed it, or since
    when it waits there, as far as that was seen; `elsewhere` is as in `StationRow`."""

    station: Station
    passage: Passage
    first: datetime | None
    last: datetime | None
    elsewhere: StationTime | None


@dataclass(frozen=True, slots=True)
class ImageGroup:
    """Images that are stuck alike. `at` is the station where their fix waits or cannot be told, None where it has
    passed all; `movers` are empty where nobody is named; `reasons` have the number of their images, most first."""

    state: str
    at: Station | None
    movers: tuple[str, ...]
    reasons: tuple[tuple[str, int], ...]
    clocks: tuple[GroupClock, ...]
    images: tuple[str, ...]

    @property
    def clock(self) -> GroupClock | None:
        """That of the station where their fix is stuck."""
        return next((each for each in self.clocks if each.station is self.at), None)


def grouped(rows: Iterable[LedgerRow]) -> tuple[ImageGroup, ...]:
    """Groups images by where their fix is stuck and who can move it: by station, then the most images first."""
    order = list(Station)

    def place(row: LedgerRow) -> tuple[bool, bool, int]:
        station = _stuck_at(row)
        return station is None, row.cannot_tell, order.index(station) if station is not None else 0

    at_places = groupby(sorted(rows, key=place), key=place)
    return tuple(group for _, alike in at_places for group in _by_mover(list(alike)))


def _by_mover(rows: Sequence[LedgerRow]) -> Iterator[ImageGroup]:
    count = Counter(map(_mover, rows)).most_common()
    alone = [mover for mover, _ in count[:MOST_MOVERS]]
    for mover in alone:
        yield _group([row for row in rows if _mover(row) == mover], (mover,))
    other_movers = [mover for mover, _ in count[MOST_MOVERS:]]
    if other_movers:
        yield _group([row for row in rows if _mover(row) not in alone], other_movers)


def _group(rows: Sequence[LedgerRow], movers: Sequence[str]) -> ImageGroup:
    station, mover_names = _stuck_at(rows[0]), tuple(_name_movers(rows, movers))
    says_no_more = station is Station.IMAGE or ITS_REPOSITORY in mover_names
    reasons = Counter(row.says for row in rows if row.says and not (says_no_more and _mover(row) == ITS_REPOSITORY))
    clocks = tuple(_clock(rows, number) for number in range(len(rows[0].clocks)))
    images = tuple(row.image for row in rows)
    return ImageGroup(rows[0].state, station, mover_names, tuple(reasons.most_common()), clocks, images)


def _name_movers(rows: Sequence[LedgerRow], movers: Sequence[str]) -> Iterator[str]:
    for mover in movers:
        own = {row.repository for row in rows} if mover == ITS_REPOSITORY else {mover}
        if len(own) > MOST_MOVERS:
            yield mover
        else:
            yield from sorted(own - {""})


def _mover(row: LedgerRow) -> str:
    return ITS_REPOSITORY if row.who and row.who == row.repository else row.who


def _stuck_at(row: LedgerRow) -> Station | None:
    if row.waits_at is not None:
        return row.waits_at
    return next((clock.station for clock in row.clocks if clock.passage is Passage.UNKNOWN), None)


def _clock(rows: Sequence[LedgerRow], number: int) -> GroupClock:
    """The clock in the place `number`, of the images that it concerns; their passages are the same."""
    concerned = [row for row in rows if row.clocks[number].passage is not Passage.NOT_CONCERNED]
    clock = (concerned or rows)[0].clocks[number]
    times = [since for row in concerned if (since := _since(row.clocks, number)) is not None]
    return GroupClock(
        *(clock.station, clock.passage, min(times, default=None), max(times, default=None)),
        clock.elsewhere,
    )


def _since(clocks: Sequence[StationRow], number: int) -> datetime | None:
    """When a fix passed the clock; where it waits there, when it passed the one before."""
    clock = clocks[number]
    if clock.passage is not Passage.WAITING:
        return clock.at
    before = [each for each in clocks[:number] if each.passage is not Passage.NOT_CONCERNED]
    return before[-1].at if before else None
