"""Reports of scanners by hand: a file is kept for the image that it is about, and what is kept is shown."""

from pathlib import Path

from bot.commands.images.packages import read_file
from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.domain.reference import InvalidReference, Reference
from bot.fleet.verify.reports.rows.scan_reports import ScanReportsStore
from bot.images.scan_reports import ReportOrigin, ReportsOfImage, ScanReport, scan_report
from bot.images.scanners.report import LARGEST_REPORT
from bot.service.opened_stores import opened_stores
from bot.settings import Settings


async def import_report(settings: Settings, file: Path, image: str | None, clock: Clock) -> ScanReport:
    """Keeps a report for the image that it is about.

    Raises `Failure` where the file is no report, and where it names no image or another one than `image` does.
    """
    digest = _digest(image) if image is not None else None
    scan = scan_report(read_file(file, LARGEST_REPORT), ReportOrigin.FILE, str(file), digest)
    async with opened_stores(settings, clock) as stores:
        await stores[ScanReportsStore].keep(scan)
    return scan


async def kept_reports(settings: Settings, image: str, clock: Clock) -> ReportsOfImage:
    """What operators and workflows brought of an image, the last scan first.

    Raises `Failure` where it is no image's digest.
    """
    async with opened_stores(settings, clock) as stores:
        return await stores[ScanReportsStore].all_about(_digest(image))


def _digest(image: str) -> str:
    try:
        digest = Reference.parse(image).digest
    except InvalidReference as error:
        raise Failure(Trouble.MALFORMED, str(error), advice="write registry/name@digest") from None
    if digest is None:
        fault = "names no digest, and what a tag shows changes"
        raise Failure(Trouble.MALFORMED, fault, where=image[:200], advice="write registry/name@digest")
    return digest
