"""The ledger: which CVEs the fleet still has, where the fix of each waits, and who can move it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.domain.feeds.advisory import Release, Severity
from bot.domain.packages.ledger.clocks import Passage, Station
from bot.domain.packages.ledger.entries import LedgerEntry, Places, StationTime
from bot.views.paging import Page

STATION_WORDS: Mapping[Station, str] = {
    Station.FIX: "no fix yet",
    Station.BASE: "base not rebuilt",
    Station.MIRROR: "mirror behind",
    Station.OWN_BASE: "own base not rebuilt",
    Station.IMAGE: "image not rebuilt",
    Station.DEPLOYED: "not deployed",
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
    """Those that some image still waits for, the most severe first. `not_known` counts images that were not read,
    or not as a whole: they may have any of them. `gaps` say why images may have more than is told of. `severities`
    counts all, whatever is wanted."""

    cves: Page[CveRow]
    not_known: int = 0
    gaps: tuple[str, ...] = ()
    severities: Mapping[str, int] = field(default_factory=dict)


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


def row_of(entry: LedgerEntry, took: Mapping[Station, StationTime]) -> LedgerRow:
    """Words an entry; `took` is how long each station took others."""
    clock = entry.clock
    clocks = tuple(
        StationRow(place, clock.passage, clock.at, clock.says, clock.who, took.get(place))
        for place, clock in entry.clocks.items()
    )
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
