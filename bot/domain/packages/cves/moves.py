"""Which CVEs a new image of a base fixed, which are still open in it, and why."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from bot.domain.packages.cves.detected import DetectedVulnerability, Rating


class WhyOpen(StrEnum):
    """Why a CVE is still open in an image, in the words of the ledger where it says the same."""

    NO_FIX = "no fix yet"
    NOT_REBUILT = "base not rebuilt"
    NOT_IN_IT = "fix not in this digest"
    """Of an image that its base does not show any more, or of a copy: what came after it may have the fix."""


@dataclass(frozen=True, slots=True)
class CvePackage:
    """A package that has a CVE, or had it before; `fixed_in` is empty as long as no version is free of it."""

    name: str
    installed: str
    fixed_in: str


@dataclass(frozen=True, slots=True)
class MovedCve:
    """A CVE with the packages that it is about. `why` it is still open, None where it was fixed."""

    cve: str
    severity: Rating
    packages: tuple[CvePackage, ...]
    why: WhyOpen | None = None


@dataclass(frozen=True, slots=True)
class CvesMoved:
    """What a move did about CVEs, the most severe first; either is None where it is not known.

    `gaps` say, a line each, why there may be more, or why nothing is known.
    """

    fixed: tuple[MovedCve, ...] | None
    still_open: tuple[MovedCve, ...] | None
    gaps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StillOpen:
    """What is still open in several images together, each CVE once, the most severe first.

    `cves` are None where none was found and not all is known; `gaps` say, a line each, why there may be more.
    """

    cves: tuple[MovedCve, ...] | None
    gaps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KnownCves:
    """What is known of the CVEs of one image.

    `doubtful` are those of packages whose versions cannot be compared. It `is_whole` where all of its packages were
    read and looked for; `gaps` say what else is not known. `release` is the one under which publishers list its
    packages.
    """

    vulnerabilities: tuple[DetectedVulnerability, ...] = ()
    doubtful: frozenset[str] = frozenset()
    gaps: tuple[str, ...] = ()
    is_whole: bool = False
    release: str | None = None


def cves_moved(before: KnownCves, after: KnownCves, not_rebuilt: WhyOpen = WhyOpen.NOT_REBUILT) -> CvesMoved:
    """Compares what an image is known to have with what the one before it had.

    `not_rebuilt` is why a CVE with a fix is still open. Nothing counts as fixed that is not surely gone: not in
    another distribution either, of which data may be missing. Where nothing was found and something is not known,
    that is no `none`.
    """
    gaps = tuple(dict.fromkeys((*after.gaps, *before.gaps)))
    open_by_cve = _by_cve(after.vulnerabilities)
    fixed_vulnerabilities = [
        each for each in before.vulnerabilities if each.id not in open_by_cve and each.id not in after.doubtful
    ]
    fixed = tuple(
        sorted(
            (
                _join_records(cve, vulnerabilities)
                for cve, vulnerabilities in _by_cve(fixed_vulnerabilities).items()
            ),
            key=_worst_first,
        )
    )
    opened = tuple(
        sorted(
            (
                _with_reason(_join_records(cve, vulnerabilities), not_rebuilt)
                for cve, vulnerabilities in open_by_cve.items()
            ),
            key=_worst_first,
        )
    )
    is_same_data = before.release == after.release
    is_fixed_known = after.is_whole and ((bool(fixed) and is_same_data) or not gaps)
    return CvesMoved(fixed if is_fixed_known else None, opened if opened or not after.gaps else None, gaps)


def still_open_in_all(moved_in_images: Iterable[CvesMoved]) -> StillOpen:
    """A CVE counts by its highest severity, and as waiting for a new image where one of the images does."""
    by_cve: dict[str, MovedCve] = {}
    moves = tuple(moved_in_images)
    for each in (each for moved in moves for each in moved.still_open or ()):
        earlier = by_cve.get(each.cve, each)
        worst = max(earlier.severity, each.severity, key=lambda rating: rating.rank)
        reason = min(earlier.why or WhyOpen.NO_FIX, each.why or WhyOpen.NO_FIX, key=_MENDABLE.index)
        packages = tuple(dict.fromkeys((*earlier.packages, *each.packages)))
        by_cve[each.cve] = MovedCve(each.cve, worst, packages, reason)
    gaps = tuple(dict.fromkeys(gap for moved in moves for gap in moved.gaps))
    is_known = bool(by_cve) or all(moved.still_open is not None for moved in moves)
    return StillOpen(tuple(sorted(by_cve.values(), key=_worst_first)) if is_known else None, gaps)


_MENDABLE = (WhyOpen.NOT_REBUILT, WhyOpen.NOT_IN_IT, WhyOpen.NO_FIX)
"""What somebody can mend comes first."""


def _by_cve(vulnerabilities: Iterable[DetectedVulnerability]) -> dict[str, list[DetectedVulnerability]]:
    by_cve: dict[str, list[DetectedVulnerability]] = {}
    for each in vulnerabilities:
        by_cve.setdefault(each.id, []).append(each)
    return by_cve


def _join_records(cve: str, vulnerabilities: Iterable[DetectedVulnerability]) -> MovedCve:
    """Of several records of one package, one that tells of a fix counts."""
    packages: dict[tuple[str, str], str] = {}
    worst = Rating.UNKNOWN
    for each in vulnerabilities:
        key = (each.package, each.installed)
        packages[key] = packages.get(key) or each.fixed
        worst = max(worst, each.severity, key=lambda rating: rating.rank)
    cve_packages = tuple(CvePackage(*key, fixed) for key, fixed in sorted(packages.items()))
    return MovedCve(cve, worst, cve_packages)


def _with_reason(moved: MovedCve, not_rebuilt: WhyOpen) -> MovedCve:
    """It has a fix where each of its packages has one."""
    has_fix = all(each.fixed_in for each in moved.packages)
    return MovedCve(moved.cve, moved.severity, moved.packages, not_rebuilt if has_fix else WhyOpen.NO_FIX)


def _worst_first(moved: MovedCve) -> tuple[int, str]:
    return (-moved.severity.rank, moved.cve)
