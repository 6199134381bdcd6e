"""What is in one image: its packages, and the CVEs that it has, each with where its fix is stuck."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.feeds.advisory import Severity
from bot.domain.packages.cves.marks import NO_MARK, CveMark
from bot.domain.packages.ledger.clocks import Station
from bot.views.images.inventory import ShownBy
from bot.views.images.ledger import count_severities
from bot.views.paging import Cut, Page, page_of


@dataclass(frozen=True, slots=True)
class LookedAtImage:
    """The image that is told of: one tag under a name, and who produces it. `not_read` says of each platform that
    was not read why not, or why none was."""

    name: str
    tag: str
    repository: str
    not_read: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WantedCves:
    """Those whose name, title or package holds `text`, of this severity."""

    text: str = ""
    severity: Severity | None = None

    def takes(self, row: "ImageCve") -> bool:
        text = self.text.lower()
        has_text = any(text in each.lower() for each in (row.cve, row.title, *row.packages))
        return has_text and self.severity in (None, row.severity)


@dataclass(frozen=True, slots=True)
class ImageCve:
    """One CVE of an image: in which packages, in which versions that is fixed, where the fix waits and who can move
    it. `rated_by` says whose word the severity is."""

    cve: str
    title: str
    severity: Severity | None
    rated_by: str
    score: float | None
    packages: tuple[str, ...]
    fixed_in: tuple[str, ...]
    state: str
    waits_at: Station | None
    cannot_tell: bool
    says: str
    who: str
    mark: CveMark = NO_MARK

    @property
    def severity_told(self) -> str:
        """As people read it; empty where nobody rated it."""
        return self.severity.told if self.severity else ""


@dataclass(frozen=True, slots=True)
class ImageCves:
    """Those of one image, first what is exploited, then the most severe. `severities` and `stuck` count all,
    whatever is wanted, by severity and by where their fix is; `gaps` say why the image may have more."""

    image: LookedAtImage
    cves: Page[ImageCve]
    severities: Mapping[str, int]
    stuck: Mapping[str, int]
    gaps: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        return sum(self.severities.values())


def cves_of(
    image: LookedAtImage, rows: Iterable[ImageCve], cve_filter: WantedCves, cut: Cut, gaps: tuple[str, ...]
) -> ImageCves:
    """Gives one page of the CVEs that are wanted."""
    ordered = sorted(rows, key=_worst_first)
    severities = count_severities(row.severity for row in ordered)
    stuck = dict(Counter(row.state for row in ordered).most_common())
    fitting = tuple(row for row in ordered if cve_filter.takes(row))
    page_rows = fitting[cut.offset : cut.offset + cut.per_page]
    return ImageCves(image, page_of(page_rows, len(fitting), cut), severities, stuck, gaps)


def _worst_first(row: ImageCve) -> tuple[bool, int, bool, float, str]:
    """Ranks a CVE by whether it is exploited, then by severity; of one severity, what can be fixed comes first."""
    return (
        not row.mark.is_exploited,
        -(row.severity.rank if row.severity else -1),
        not row.fixed_in,
        -(row.score or 0),
        row.cve,
    )


class Origin(StrEnum):
    """Where a package comes from."""

    IMAGE = "image"
    """The image's own build adds it, or has another version than its base."""
    BASE = "base"
    UNKNOWN = "unknown"
    """What the base holds is not known."""


ORIGIN_WORDS: Mapping[Origin, str] = {
    Origin.IMAGE: "the image",
    Origin.BASE: "its base",
    Origin.UNKNOWN: "cannot be told",
}


@dataclass(frozen=True, slots=True)
class PackageFilter:
    """Those whose name, version or source holds `text`, from there."""

    text: str = ""
    origin: Origin | None = None

    def takes(self, row: "ImagePackage") -> bool:
        text = self.text.lower()
        has_text = any(text in (each or "").lower() for each in (row.name, row.version, row.source))
        return has_text and self.origin in (None, row.origin)


@dataclass(frozen=True, slots=True)
class PackageInImage:
    """A package on one platform of an image; `since` is when it was first seen there in this version."""

    type: str
    name: str
    version: str
    source: str | None
    platform: str
    origin: Origin
    shown_by: ShownBy
    since: datetime


@dataclass(frozen=True, slots=True)
class ImagePackage:
    """A package in one version, whatever architecture it is for: the platforms that have it, where it comes from on
    any of them, and what tells of it best."""

    type: str
    name: str
    version: str
    source: str | None
    platforms: tuple[str, ...]
    origin: Origin
    shown_by: ShownBy
    since: datetime


@dataclass(frozen=True, slots=True)
class ImagePackages:
    """Those of one image, what it adds itself first. `origins` and `types` count all, whatever is wanted."""

    image: LookedAtImage
    packages: Page[ImagePackage]
    origins: Mapping[Origin, int]
    types: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.types.values())


def packages_of(
    image: LookedAtImage, packages: Iterable[PackageInImage], package_filter: PackageFilter, cut: Cut
) -> ImagePackages:
    """Gives one page of the packages that are wanted."""
    by_version: dict[tuple[str, str, str], list[PackageInImage]] = {}
    for package in packages:
        by_version.setdefault((package.type, package.name, package.version), []).append(package)
    rows = sorted(map(_joined, by_version.values()), key=_added_first)
    by_origin = Counter(row.origin for row in rows)
    types = dict(sorted(Counter(row.type for row in rows).items()))
    fitting = tuple(row for row in rows if package_filter.takes(row))
    page_rows = fitting[cut.offset : cut.offset + cut.per_page]
    origins = {origin: by_origin[origin] for origin in Origin}
    return ImagePackages(image, page_of(page_rows, len(fitting), cut), origins, types)


def _joined(several: list[PackageInImage]) -> ImagePackage:
    """Told as by the best that tells of it: what only an SBOM lists is on no platform whose layers show it."""
    shown_by = min((each.shown_by for each in several), key=list(ShownBy).index)
    best_packages = [each for each in several if each.shown_by is shown_by]
    first = best_packages[0]
    return ImagePackage(
        *(first.type, first.name, first.version, first.source),
        tuple(sorted({each.platform for each in best_packages})),
        min((each.origin for each in best_packages), key=list(Origin).index),
        shown_by,
        min(each.since for each in best_packages),
    )


def _added_first(row: ImagePackage) -> tuple[int, str, str, str]:
    return list(Origin).index(row.origin), row.type, row.name, row.version
