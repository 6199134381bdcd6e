"""Reports of scanners as they are kept: what one found in the image of a digest, who brought it, and when.

A workflow says what it likes about any image. What an artifact tells counts only for what its repository builds.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bot.domain.clock import is_yet_to_come
from bot.domain.failure import Failure, Trouble
from bot.images.scanners.reading import read_report
from bot.images.scanners.report import LARGEST_REPORT, Report

MOST_OF_WORKFLOW = 10_000
"""Findings in a report that a workflow left; the largest images have some five thousand."""
_MOST_VALUES = 1_000_000
"""Values of JSON in such a report, of which each takes some hundred bytes of memory, whatever the text takes."""
_SIGNS = (b"{", b"[", b",")


class ReportOrigin(StrEnum):
    """Who brought a report."""

    FILE = "file"
    ARTIFACT = "workflow artifact"


@dataclass(frozen=True, slots=True)
class ScanReport:
    """A report about the images that `report.names` has, by the digests of indexes, platforms or configurations.

    `document` is the digest of its bytes, `place` the file, or the artifact and the file in it. `repository` is the
    row of the repository whose workflow made it; None for what an operator brought.
    """

    document: str
    origin: ReportOrigin
    place: str
    report: Report
    repository: int | None = None


@dataclass(frozen=True, slots=True)
class KeptReport:
    """A report and since when it is kept; `report.created_at` says when the image was scanned, if anybody does."""

    scan: ScanReport
    kept_at: datetime

    @property
    def is_ahead(self) -> bool:
        """Whether it says to be made later than anybody could have kept it: its own time tells nothing then."""
        made = self.scan.report.created_at
        return made is not None and is_yet_to_come(made, self.kept_at)

    @property
    def scanned_at(self) -> datetime:
        """When the image was scanned: as the report says, but not after it was kept; a clock may be wrong."""
        return min(self.scan.report.created_at or self.kept_at, self.kept_at)


@dataclass(frozen=True, slots=True)
class DamagedReport:
    """A report of which the store has no more than where it is from: what it found cannot be read any more."""

    document: str
    origin: str
    place: str


@dataclass(frozen=True, slots=True)
class ReportsOfImage:
    """What anybody brought about an image, the last scan first."""

    kept: tuple[KeptReport, ...] = ()
    damaged: tuple[DamagedReport, ...] = ()


class ScanReports(Protocol):
    """Where reports of scanners are kept; each method is one transaction."""

    async def about(self, digests: Collection[str], repository: int | None = None) -> Sequence[KeptReport]:
        """What is known of the image that goes by these digests, the last scan first: what operators brought, and
        what workflows of that repository did."""
        ...

    async def all_about(self, digest: str) -> ReportsOfImage: ...

    async def keep(self, scan: ScanReport) -> None:
        """Keeps a report; the same bytes again from the same side take its place, for the images that both name."""
        ...


def scan_report(
    data: bytes, origin: ReportOrigin, place: str, image: str | None = None, repository: int | None = None
) -> ScanReport:
    """Reads a report about an image. `image` is the digest that it must be about, where the report names one.

    Raises `Failure` where it is no report, names no image, several, or another one, and where a workflow left one
    with more in it than is found in an image.
    """
    if len(data) > LARGEST_REPORT:
        raise _refused(f"has more than {LARGEST_REPORT:,} bytes", place)
    if origin is ReportOrigin.ARTIFACT and sum(data.count(sign) for sign in _SIGNS) > _MOST_VALUES:
        raise _refused(f"has more than {_MOST_VALUES:,} values", place)
    report = read_report(data, place)
    if origin is ReportOrigin.ARTIFACT and len(report.vulnerabilities) + len(report.suppressed) > MOST_OF_WORKFLOW:
        raise _refused(f"has more than {MOST_OF_WORKFLOW:,} findings", place)
    if report.is_about_several:
        advice = "have the scanner write a report for each of them"
        raise Failure(Trouble.MALFORMED, "is about several images", where=place, advice=advice)
    if image is not None and report.image_digests and image not in report.image_digests:
        digests = ", ".join(sorted(report.image_digests))
        fault, advice = f"is about {digests}, not {image}", "name the image that it is about"
        raise Failure(Trouble.MALFORMED, fault, where=place, advice=advice)
    if image is not None:
        report = replace(report, image_digests=report.image_digests | {image})
    if not report.names:
        advice = "scan the image by the digest under which its registry has it, or name it with --image"
        raise Failure(Trouble.MALFORMED, "names no digest of an image", where=place, advice=advice)
    return ScanReport(f"sha256:{hashlib.sha256(data).hexdigest()}", origin, place, report, repository)


def _refused(fault: str, place: str) -> Failure:
    return Failure(Trouble.MALFORMED, fault, where=place, advice="nothing of it is used")
