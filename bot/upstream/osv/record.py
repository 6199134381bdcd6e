"""One record in the format of OSV (https://ossf.github.io/osv-schema): bytes → what of it matters.

Everything in it is untrusted. What an affected package must look like is checked only where it is wanted at all: a
dump has hundreds of thousands of them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, StringConstraints, ValidationError

from bot.domain.failure import Failure, Trouble
from bot.domain.packages.cves.publication import CvePublication
from bot.domain.packages.cves.vulnerability import (
    AffectedPackage,
    Ecosystem,
    Vulnerability,
    release_named,
)
from bot.domain.wording.words import first_few
from bot.upstream.feeds.reading import FeedShape, Notes, OneLine, UtcMoment, cves_in, json_object, one_line
from bot.upstream.osv.ranges import RangeEvent, Version, beside_ranges, comparisons, ranges_of
from bot.upstream.osv.severity import rating_of

RECORD_ID = r"[A-Za-z0-9:._-]{3,64}"
"""As OSV names records."""
UNNAMED = ("", "")
"""Stands for the packages of a record of which nothing can be read."""
MOST_RANGES = 200
MOST_VERSIONS = 2_000
MOST_BINARIES = 2_000
MOST_COMPARISONS = 40_000
"""Of versions, for all of one record: two seconds at most."""


_TYPES_OF_RANGES = ("ECOSYSTEM", "SEMVER")


@dataclass(frozen=True, slots=True)
class WantedPackages:
    """Of which releases and under which names packages are looked for; names are in lower case.

    Of releases that are `untold` nothing stood in the dump that was looked through. `unread` are the releases and
    names of packages that records are about which cannot be read, with `UNNAMED` where that cannot be told.
    """

    releases: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    untold: frozenset[str] = frozenset()
    unread: frozenset[tuple[str, str]] = frozenset()

    def __contains__(self, other: "WantedPackages") -> bool:
        return other.releases <= self.releases and other.names <= self.names

    def looks_for(self, release: str, name: str) -> bool:
        """Whether a package of that name in that release is among them."""
        return release in self.releases and name.lower() in self.names

    def are_told_by(self, publication: CvePublication) -> bool:
        """Whether a publication may tell of any of them: of packages at all, and of a release that one is in."""
        if not publication.ecosystem.has_releases:
            return bool(self.names)
        own = f"{publication.ecosystem}:"
        releases = (release for release in self.releases if release.startswith(own))
        return bool(self.names) and any(publication.tells_of(release) for release in releases)


@dataclass(slots=True)
class RecordNotes(Notes):
    """What records could not tell, and which packages those are about, as `WantedPackages` has them.

    `newest_at` is when one of them was changed last, of those that say so and of no time after `latest`; those that
    are `ahead` of it are counted.
    """

    unread: set[tuple[str, str]] = field(default_factory=set)
    latest: datetime | None = None
    newest_at: datetime | None = None
    ahead: int = 0

    def note_changed(self, modified: object) -> None:
        """Takes in when a record says that it was changed last."""
        try:
            moment = datetime.fromisoformat(modified) if isinstance(modified, str) else None
        except ValueError:
            return
        if moment is None or moment.tzinfo is None or self.latest is None:
            return
        if moment > self.latest:
            self.ahead += 1
            return
        self.newest_at = max(self.newest_at or moment, moment)


class _Record(FeedShape):
    id: Annotated[str, StringConstraints(pattern=f"^{RECORD_ID}$")]
    summary: OneLine = ""
    details: str = ""
    published: UtcMoment | None = None
    withdrawn: UtcMoment | None = None
    aliases: Any = None
    upstream: Any = None
    related: Any = None
    severity: Any = None
    affected: Any = None
    database_specific: Any = None


class _Package(FeedShape):
    ecosystem: Version
    name: Version


class _Range(FeedShape):
    type: OneLine
    events: Annotated[list[RangeEvent], Field(max_length=MOST_RANGES)]


class _Binary(FeedShape):
    binary_name: Version
    binary_version: Version = ""


class _Affected(FeedShape):
    needs_all = True

    package: _Package
    ranges: Annotated[list[_Range], Field(max_length=MOST_RANGES)] = Field([])
    versions: list[Version] = Field([])


def parse(data: bytes, wanted_packages: WantedPackages, notes: RecordNotes, place: str) -> Vulnerability | None:
    """The record, with those of its affected packages that are wanted; None where none is or it was withdrawn.

    What cannot be read is noted. Raises `Failure` where the whole is no record, or one that lists without end.
    """
    try:
        value = json_object(data, place)
    except Failure:
        notes.unread.add(UNNAMED)
        raise
    notes.note_changed(value.get("modified"))
    affected_values = value.get("affected")
    if affected_values is not None and not (
        isinstance(affected_values, list) and all(map(_names_package, affected_values))
    ):
        notes.add(place, "which packages it affects cannot be read; those are skipped")
        notes.unread.add(UNNAMED)
    affected = list(_select_wanted(affected_values, wanted_packages))
    if not affected:
        return None
    record = notes.shaped(_Record, value, place)
    if record is None:
        notes.unread |= _names(affected, wanted_packages)
        return None
    if record.withdrawn is not None:
        return None
    pairs = [(raw, _shape_package(raw, notes, place)) for raw in affected]
    notes.unread |= _names([raw for raw, each in pairs if each is None], wanted_packages)
    shaped = [(raw, each) for raw, each in pairs if each is not None]
    if not shaped:
        return None
    try:
        _check_work([each for _, each in shaped], place)
        packages = tuple(_package(raw, each, place) for raw, each in shaped)
    except Failure:
        notes.unread |= _names(affected, wanted_packages)
        raise
    rating = rating_of(record.id, record.severity, (record.database_specific, *_collect_ratings(affected)))
    return Vulnerability(
        record.id,
        _cves(record),
        record.summary or one_line(next(iter(record.details.strip().splitlines()), "")),
        rating.severity,
        rating.by,
        rating.score,
        record.published,
        packages,
    )


def _names_package(value: object) -> bool:
    """Whether an entry of what is affected names its package, or none, as what is about sources alone may do."""
    package = value.get("package") if isinstance(value, dict) else value
    if not isinstance(package, dict):
        return package is None and value is not None
    return isinstance(package.get("ecosystem"), str) and isinstance(package.get("name"), str)


def _select_wanted(values: object, packages: WantedPackages) -> Iterator[Mapping[str, Any]]:
    for value in values if isinstance(values, list) else ():
        package = value.get("package") if isinstance(value, dict) else None
        if not isinstance(package, dict):
            continue
        ecosystem, name = package.get("ecosystem"), package.get("name")
        if not isinstance(ecosystem, str) or not isinstance(name, str):
            continue
        if release_named(ecosystem) not in packages.releases:
            continue
        if name.lower() in packages.names or any(each.lower() in packages.names for each in _binary_names(value)):
            yield value


def _names(affected: Iterable[Mapping[str, Any]], packages: WantedPackages) -> set[tuple[str, str]]:
    """Releases and names, in lower case, of those that are wanted."""
    pairs = ((release_named(each["package"]["ecosystem"]), each) for each in affected)
    return {
        (release, name.lower())
        for release, package in pairs
        for name in (package["package"]["name"], *_binary_names(package))
        if release is not None and name.lower() in packages.names
    }


def _binary_names(affected: Mapping[str, Any]) -> Iterator[str]:
    for binary in _binaries(affected):
        name = binary.get("binary_name") if isinstance(binary, dict) else None
        if isinstance(name, str):
            yield name


def _binaries(affected: Mapping[str, Any]) -> list[Any]:
    specific = affected.get("ecosystem_specific")
    binaries = specific.get("binaries") if isinstance(specific, dict) else None
    return binaries if isinstance(binaries, list) else []


def _shape_package(raw: Mapping[str, Any], notes: Notes, record_place: str) -> _Affected | None:
    """None, which is noted, where it has another shape, or ranges of other types alone: which versions are affected
    cannot be told then."""
    place = f"{record_place}: affected {str(raw['package'].get('name'))[:80]}"
    affected = notes.shaped(_Affected, raw, place)
    if affected is None or affected.versions or not affected.ranges:
        return affected
    types = {each.type for each in affected.ranges}
    if types.isdisjoint(_TYPES_OF_RANGES):
        notes.add(place, f"its ranges are of the type {first_few(sorted(types))}, which is not read; it is skipped")
        return None
    return affected


def _events(affected: _Affected) -> list[list[RangeEvent]]:
    return [each.events for name in _TYPES_OF_RANGES for each in affected.ranges if each.type == name]


def _check_work(affected_packages: Sequence[_Affected], place: str) -> None:
    """Raises `Failure` where a record lists more than can be worked through in a moment."""
    if sum(comparisons(_events(each), len(each.versions)) for each in affected_packages) > MOST_COMPARISONS:
        message = f"its ranges and versions take more than {MOST_COMPARISONS:,} comparisons"
        raise Failure(Trouble.MALFORMED, message, where=place)


def _package(raw: Mapping[str, Any], affected: _Affected, place: str) -> AffectedPackage:
    """Raises `Failure` where more is left than is kept: versions that were cut off would count as free of it."""
    name, ecosystem = affected.package.name, affected.package.ecosystem
    release = release_named(ecosystem)
    assert release is not None, "it was wanted"
    kind = Ecosystem(ecosystem.partition(":")[0]).package_type
    ranges = tuple(each for events in _events(affected) for each in ranges_of(kind, events))
    versions = beside_ranges(kind, affected.versions, ranges)
    if len(ranges) > MOST_RANGES or len(versions) > MOST_VERSIONS:
        message = f"{name[:80]} has more than {MOST_RANGES} ranges, or {MOST_VERSIONS:,} versions beside them"
        raise Failure(Trouble.MALFORMED, message, where=place)
    return AffectedPackage(kind, name, release, ranges, versions, tuple(_named_binaries(_binaries(raw))))


def _named_binaries(values: Iterable[object]) -> Iterator[tuple[str, str]]:
    """Debug symbols are in no image and are most of what is listed."""
    count = 0
    for value in values:
        try:
            binary = _Binary.model_validate(value)
        except ValidationError:
            continue
        if not binary.binary_name.endswith(("-dbgsym", "-dbg")) and count < MOST_BINARIES:
            count += 1
            yield binary.binary_name, binary.binary_version


def _cves(record: _Record) -> tuple[str, ...]:
    """What it is about: itself, its aliases and what it follows; a notice names them as related."""
    id_lists = [record.aliases, record.upstream]
    ids = [each for values in id_lists if isinstance(values, list) for each in values if isinstance(each, str)]
    cves = cves_in(" ".join((record.id, *ids[:1_000])))
    if cves or not isinstance(record.related, list):
        return cves
    return cves_in(" ".join(each for each in record.related[:1_000] if isinstance(each, str)))


def _collect_ratings(affected: Iterable[Mapping[str, Any]]) -> Iterator[object]:
    for package in affected:
        yield package.get("ecosystem_specific")
        yield package.get("database_specific")
        yield {"severity": package.get("severity")}
