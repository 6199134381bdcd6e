"""The ledger: which CVEs the fleet still has, where the fix of each waits, and its images in groups that wait
alike."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any

from bot.domain.feeds.advisory import Release, Severity
from bot.domain.packages.cves.marks import NO_MARK, CveMark
from bot.domain.packages.ledger.clocks import Passage, Station, StationClock
from bot.domain.packages.ledger.entries import LedgerEntry, Places, StationTime
from bot.views.paging import WHOLE, Page, page_of

STATION_WORDS: Mapping[Station, str] = {
    Station.FIX: "no fix yet",
    Station.BASE: "base not rebuilt",
    Station.MIRROR: "mirror behind",
    Station.OWN_BASE: "own base not rebuilt",
    Station.IMAGE: "image not rebuilt",
    Station.DEPLOYED: "not deployed",
    Station.RUNNING: "not rolled out",
}
"""Why a CVE is still there, by the station at which its fix waits."""


@dataclass(frozen=True, slots=True)
class CveRow:
    """One CVE and where the fleet's images are. `rated_by` says whose word the severity is."""

    cve: str
    title: str
    severity: str | None
    rated_by: str
    score: float | None
    publishers: tuple[str, ...]
    places: Places
    mark: CveMark = NO_MARK

    @property
    def severity_told(self) -> str:
        """As people read it; empty where nobody rated it."""
        return Severity(self.severity).told if self.severity else ""


@dataclass(frozen=True, slots=True)
class CveFilter:
    """Those whose name or title holds `text`, of this severity, of which the fix waits there in some image."""

    text: str = ""
    severity: Severity | None = None
    station: Station | None = None

    def takes(self, row: CveRow) -> bool:
        text = self.text.lower()
        has_text = text in row.cve.lower() or text in row.title.lower()
        is_there = self.station is None or bool(row.places.waiting.get(self.station))
        return has_text and is_there and self.severity in (None, row.severity)


@dataclass(frozen=True, slots=True)
class Cves:
    """Those that some image still waits for, first what is exploited, then the most severe. `not_known` counts
    images that were not read, or not as a whole: they may have any of them. `gaps` say why images may have more
    than is told of. `severities` counts all, whatever is wanted; `at` is when all this held."""

    cves: Page[CveRow]
    not_known: int = 0
    gaps: tuple[str, ...] = ()
    severities: Mapping[str, int] = field(default_factory=dict)
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StationRow:
    """One clock of one image in words. `elsewhere` is how long that took others, None where nobody can tell."""

    station: Station
    passage: Passage
    at: datetime | None
    says: str
    who: str
    elsewhere: StationTime | None = None


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One image: where its fix waits in words, who can move it, and all of its clocks."""

    image: str
    repository: str
    packages: tuple[str, ...]
    state: str
    waits_at: Station | None
    cannot_tell: bool
    says: str
    who: str
    clocks: tuple[StationRow, ...]

    @property
    def name(self) -> str:
        """`registry/repository` of the image, without its tag."""
        return self.image.rpartition(":")[0]


@dataclass(frozen=True, slots=True)
class CvePage:
    """One CVE with the images that have it, or had it since the bot looks; those that wait come first. `not_known`
    and `gaps` are as in `Cves`, `notes` stand beside and change nothing of it."""

    cve: CveRow
    images: Page[LedgerRow]
    not_known: int = 0
    gaps: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    is_told: bool = True
    """Whether anything that was read tells of it."""

    @property
    def untold(self) -> str:
        """What follows for the images where nothing tells of it; empty where something does."""
        if self.is_told:
            return ""
        if self.not_known or self.gaps:
            return "not known: nothing that was read tells of it"
        return "concerns no image: nothing that was read of their packages tells of it"


def untold_page(cve: str, not_known: int, gaps: tuple[str, ...], release_note: str) -> CvePage:
    """The page of a CVE that nothing tells of; what a release of .NET affects that fixes it is not known."""
    row = CveRow(cve, "", None, "", None, (), Places(dict.fromkeys(Station, 0)))
    notes = (release_note,) if release_note else ()
    return CvePage(row, page_of((), 0, WHOLE), not_known, (*gaps, *notes), is_told=False)


def row_of(entry: LedgerEntry, took: Mapping[Station, StationTime]) -> LedgerRow:
    """Words an entry; `took` is how long each station took others."""
    return _row_of(entry, _station_rows(entry.clocks, took))


def rows_of(entries: Iterable[LedgerEntry], took: Mapping[Station, StationTime]) -> Iterator[LedgerRow]:
    """Words entries, as `row_of` does; the clocks that several share are worded once, and stay shared."""
    worded: dict[int, tuple[Mapping[Station, StationClock], tuple[StationRow, ...]]] = {}
    for entry in entries:
        if id(entry.clocks) not in worded:
            worded[id(entry.clocks)] = entry.clocks, _station_rows(entry.clocks, took)
        yield _row_of(entry, worded[id(entry.clocks)][1])


def _station_rows(
    clocks: Mapping[Station, StationClock], took: Mapping[Station, StationTime]
) -> tuple[StationRow, ...]:
    return tuple(
        StationRow(place, clock.passage, clock.at, clock.says, clock.who, took.get(place))
        for place, clock in clocks.items()
    )


def _row_of(entry: LedgerEntry, clocks: tuple[StationRow, ...]) -> LedgerRow:
    clock = entry.clock
    return LedgerRow(
        entry.image.image,
        entry.image.repository,
        entry.image.packages,
        state_of(entry),
        entry.waits_at,
        entry.cannot_tell,
        clock.says if clock is not None else "",
        clock.who if clock is not None else "",
        clocks,
    )


def state_of(entry: LedgerEntry) -> str:
    """`image not rebuilt`, `cannot be told`, or `fixed`."""
    if entry.waits_at is not None:
        return STATION_WORDS[entry.waits_at]
    return "cannot be told" if entry.cannot_tell else "fixed"


def released_alone(releases: Iterable[Release], cve: str) -> str:
    """Words which releases of .NET fix a CVE of which no advisory tells; empty where none lists it."""
    fixing = sorted(
        (each for each in releases if cve in each.cves and not each.is_taken_back),
        key=lambda each: (each.published_at, each.version),
    )
    if not fixing:
        return ""
    versions = ", ".join(dict.fromkeys(each.version for each in fixing))
    return f".NET {versions} fixes it, and no advisory that was read says yet what it affects"


UNRATED = "unrated"
"""Under which CVEs are counted whose severity nobody says."""


def count_severities(rated: Iterable[str | None]) -> dict[str, int]:
    """How many CVEs have which severity, the worst first, as far as there are any."""
    counts = Counter(severity or UNRATED for severity in rated)
    return {str(name): counts[name] for name in (*reversed(Severity), UNRATED) if counts[name]}


def places_in_words(places: Places) -> tuple[tuple[str, int], ...]:
    """Where images are in words, each with how many, as far as there are any."""
    numbers_by_words = [(STATION_WORDS[place], number) for place, number in places.waiting.items()]
    numbers_by_words += [("cannot be told", places.cannot_tell), ("fixed", places.over)]
    return tuple((words, number) for words, number in numbers_by_words if number)


def as_json(row: CveRow) -> dict[str, Any]:
    """Gives a CVE as plain JSON values."""
    return {
        "cve": row.cve,
        "title": row.title,
        "severity": row.severity,
        "rated_by": row.rated_by,
        "score": row.score,
        "publishers": list(row.publishers),
        "known_exploited": row.mark.is_exploited,
        "exploited_since": row.mark.exploited_since,
        "epss": row.mark.epss,
        "waiting": {place.value: number for place, number in row.places.waiting.items()},
        "cannot_tell": row.places.cannot_tell,
        "fixed": row.places.over,
    }


def image_as_json(row: LedgerRow) -> dict[str, Any]:
    """Gives an image with its clocks as plain JSON values."""
    return {
        "image": row.image,
        "produced_by": row.repository,
        "packages": list(row.packages),
        "state": row.state,
        "waits_at": row.waits_at.value if row.waits_at is not None else None,
        "cannot_tell": row.cannot_tell,
        "why": row.says,
        "who": row.who,
        "clocks": [
            {
                "station": clock.station.value,
                "passage": clock.passage.value,
                "at": clock.at,
                "says": clock.says,
                "who": clock.who,
                **_elsewhere(clock.elsewhere),
            }
            for clock in row.clocks
        ],
    }


def _elsewhere(took: StationTime | None) -> dict[str, Any]:
    if took is None:
        return {"elsewhere_seconds": None, "elsewhere_times": 0, "elsewhere_of": None}
    of = "rebuilds" if took.of_rebuilds else "images"
    return {
        "elsewhere_seconds": int(took.median.total_seconds()),
        "elsewhere_times": took.times,
        "elsewhere_of": of,
    }


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
    different = list({id(row.clocks): row.clocks for row in rows}.values())
    clocks = tuple(_clock(different, number) for number in range(len(rows[0].clocks)))
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


def _clock(several: Sequence[Sequence[StationRow]], number: int) -> GroupClock:
    """The clock in the place `number`, of the images that it concerns; their passages are the same."""
    concerned = [clocks for clocks in several if clocks[number].passage is not Passage.NOT_CONCERNED]
    clock = (concerned or several)[0][number]
    times = [since for clocks in concerned if (since := _since(clocks, number)) is not None]
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
