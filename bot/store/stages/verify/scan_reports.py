"""Reports of scanners, by the digests of the images that they are about."""

import json
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.engine.codec import dump, load
from bot.store.engine.inserting import chunks
from bot.store.engine.locking import lock_where
from bot.store.engine.readable import readable
from bot.store.engine.store import Store
from bot.store.rows.images.scan_reports import scan_report_digests, scan_reports
from bot.verify.gate import Report
from bot.verify.scan_reports import KeptReport, ReportOrigin, ScanReport

_LONGEST_PLACE = 1024


class ScanReportsStore(Store):
    async def keep(self, scan: ScanReport) -> None:
        async with self._database.transaction() as connection:
            await _forget_same(connection, scan)
            row = {
                "document": scan.document,
                "origin": scan.origin.value,
                "place": scan.place[:_LONGEST_PLACE],
                "repository_id": scan.repository,
                "scanned_at": scan.report.created_at,
                "kept_at": self._clock.now(),
                "report": zlib.compress(json.dumps(dump(scan.report, Report)).encode()),
            }
            kept = await connection.execute(insert(scan_reports).values(**row).returning(scan_reports.c.id))
            number = kept.scalar_one()
            named = [{"report_id": number, "digest": digest} for digest in sorted(scan.report.image_digests)]
            for some in chunks(named):
                await connection.execute(insert(scan_report_digests), some)

    async def about(self, digests: Collection[str], repository: int | None = None) -> list[KeptReport]:
        async with self._database.reading() as connection:
            rows = await _rows_about(connection, digests, repository)
        kept = readable(rows, _kept, lambda row: f"scan report {row.id}")
        return sorted(kept, key=lambda each: each.scanned_at, reverse=True)


async def _forget_same(connection: AsyncConnection, scan: ScanReport) -> None:
    """Forgets the same bytes from the same side about these images; about others they say what they said."""
    of_same_side = (
        scan_reports.c.repository_id.is_(None)
        if scan.repository is None
        else scan_reports.c.repository_id == scan.repository
    )
    same = await lock_where(connection, scan_reports, scan_reports.c.document == scan.document, of_same_side)
    named = scan_report_digests.c.report_id.in_(same)
    for some in chunks(sorted(scan.report.image_digests)):
        await connection.execute(delete(scan_report_digests).where(named, scan_report_digests.c.digest.in_(some)))
    about_others = select(scan_report_digests.c.report_id).where(named)
    await connection.execute(
        delete(scan_reports).where(scan_reports.c.id.in_(same), scan_reports.c.id.not_in(about_others))
    )


async def _rows_about(connection: AsyncConnection, digests: Collection[str], repository: int | None) -> list[Any]:
    is_heard: ColumnElement[bool] = scan_reports.c.repository_id.is_(None)
    if repository is not None:
        is_heard |= scan_reports.c.repository_id == repository
    rows: dict[int, Any] = {}
    for some in chunks(sorted(digests)):
        found = await connection.execute(
            select(scan_reports)
            .join(scan_report_digests, scan_report_digests.c.report_id == scan_reports.c.id)
            .where(scan_report_digests.c.digest.in_(some), is_heard)
        )
        rows |= {row.id: row for row in found}
    return list(rows.values())


@dataclass(frozen=True, slots=True)
class KeptAbout:
    """A report about the image of one digest, by its row."""

    number: int
    digest: str
    report: KeptReport


async def reports_about(connection: AsyncConnection, digests: Collection[str]) -> list[KeptAbout]:
    """All that is kept about any of these digests, whoever brought it."""
    named: list[tuple[int, str]] = []
    for some in chunks(sorted(digests)):
        pairs = select(scan_report_digests.c.report_id, scan_report_digests.c.digest)
        rows = await connection.execute(pairs.where(scan_report_digests.c.digest.in_(some)))
        named += [(number, digest) for number, digest in rows]
    reports: dict[int, KeptReport] = {}
    for ids in chunks(sorted({number for number, _ in named})):
        rows = await connection.execute(select(scan_reports).where(scan_reports.c.id.in_(ids)))
        reports |= dict(readable(rows, lambda row: (row.id, _kept(row)), lambda row: f"scan report {row.id}"))
    return [KeptAbout(number, digest, reports[number]) for number, digest in named if number in reports]


def _kept(row: Any) -> KeptReport:
    report = load(json.loads(zlib.decompress(row.report)), Report)
    scan = ScanReport(row.document, ReportOrigin(row.origin), row.place, report, row.repository_id)
    return KeptReport(scan, row.kept_at)
