"""Reports of scanners, by the digests of the images that they are about."""

import json
import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, insert, select, true, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.images.scan_reports import DamagedReport, KeptReport, ReportOrigin, ReportsOfImage, ScanReport
from bot.images.scanners.report import Report
from bot.store.engine.codec import dump, load, readable
from bot.store.engine.store import Store
from bot.store.engine.writing import chunks, lock_where
from bot.store.rows.forgetting import UNREFERRED_FOR, forgets
from bot.store.rows.images.gates import let_through
from bot.store.rows.images.images import images
from bot.store.rows.images.scan_reports import scan_report_digests, scan_reports
from bot.store.rows.inventories.inventories import (
    image_inventories,
    inventories,
    later_indexes,
    sbom_looks,
    shown_before,
)
from bot.store.rows.schema import NoMoment

_LONGEST_PLACE = 1024
_MOST_SCANNERS = 10
"""Of one side, whose reports about an image are read."""


class ScanReportsStore(Store):
    """`bot.images.scan_reports.ScanReports` on the database."""

    async def keep(self, scan: ScanReport) -> None:
        async with self._database.transaction() as connection:
            await keep_report(connection, scan, self._clock.now())

    async def all_about(self, digest: str) -> ReportsOfImage:
        async with self._database.reading() as connection:
            rows = await _rows_about(connection, [digest], true())
        reports_by_id = {row.id: each for row in rows for each in _last_first([row])}
        damaged = [
            DamagedReport(row.document, row.origin, row.place) for row in rows if row.id not in reports_by_id
        ]
        ordered = sorted(reports_by_id.values(), key=lambda each: each.scanned_at, reverse=True)
        return ReportsOfImage(tuple(ordered), tuple(damaged))

    async def about(self, digests: Collection[str], repository: int | None = None) -> list[KeptReport]:
        async with self._database.reading() as connection:
            is_heard: ColumnElement[bool] = scan_reports.c.repository_id.is_(None)
            if repository is not None:
                is_heard |= scan_reports.c.repository_id == repository
            rows = await _rows_about(connection, digests, is_heard)
        return _last_first(rows)


def _last_first(rows: Iterable[Any]) -> list[KeptReport]:
    reports = readable(rows, _report_of, lambda row: f"scan report {row.id}")
    return sorted(reports, key=lambda each: each.scanned_at, reverse=True)


async def keep_report(connection: AsyncConnection, scan: ScanReport, now: datetime) -> None:
    """Keeps a report with every digest that its image goes by."""
    await _forget_same(connection, scan)
    row = {
        "document": scan.document,
        "origin": scan.origin.value,
        "scanner": scan.report.scanner,
        "place": scan.place[:_LONGEST_PLACE],
        "repository_id": scan.repository,
        "scanned_at": scan.report.created_at,
        "kept_at": now,
        "report": zlib.compress(json.dumps(dump(scan.report, Report)).encode()),
    }
    inserted = await connection.execute(insert(scan_reports).values(**row).returning(scan_reports.c.id))
    number = inserted.scalar_one()
    digest_rows = [{"report_id": number, "digest": digest} for digest in sorted(scan.report.names)]
    for part in chunks(digest_rows):
        await connection.execute(insert(scan_report_digests), part)


async def _forget_same(connection: AsyncConnection, scan: ScanReport) -> None:
    """Forgets the same bytes from the same side about these images; about others they say what they said."""
    of_same_side = (
        scan_reports.c.repository_id.is_(None)
        if scan.repository is None
        else scan_reports.c.repository_id == scan.repository
    )
    same = await lock_where(connection, scan_reports, scan_reports.c.document == scan.document, of_same_side)
    is_of_same = scan_report_digests.c.report_id.in_(same)
    for part in chunks(sorted(scan.report.names)):
        await connection.execute(
            delete(scan_report_digests).where(is_of_same, scan_report_digests.c.digest.in_(part))
        )
    about_others = select(scan_report_digests.c.report_id).where(is_of_same)
    await connection.execute(
        delete(scan_reports).where(scan_reports.c.id.in_(same), scan_reports.c.id.not_in(about_others))
    )


async def _rows_about(
    connection: AsyncConnection, digests: Collection[str], is_heard: ColumnElement[bool]
) -> list[Any]:
    rows: dict[int, Any] = {}
    for part in chunks(sorted(digests)):
        result = await connection.execute(
            select(scan_reports)
            .join(scan_report_digests, scan_report_digests.c.report_id == scan_reports.c.id)
            .where(scan_report_digests.c.digest.in_(part), is_heard)
        )
        rows |= {row.id: row for row in result}
    return list(rows.values())


@dataclass(frozen=True, slots=True)
class KeptAbout:
    """A report about the image of one digest, by its row and the repository whose workflow made it.

    `report` is None where what is stored of it cannot be read; `place` names it all the same.
    """

    number: int
    digest: str
    repository: int | None
    place: str
    report: KeptReport | None


_NEWEST_BY = ("scanner", "repository_id", "scanned_at", "kept_at", "place")
_COLUMNS = (scan_report_digests.c.digest, scan_reports.c.id, *(scan_reports.c[name] for name in _NEWEST_BY))


async def reports_about(
    connection: AsyncConnection, repositories_by_digest: Mapping[str, Collection[int]]
) -> list[KeptAbout]:
    """What each scanner said last about these digests, for each side that brought reports.

    `repositories_by_digest` are those whose workflows count beside the operators. What others tell is not read, and
    of one repository no more than the newest few: it may name as many scanners as it likes.
    """
    counted_rows: list[Any] = []
    for part in chunks(sorted(repositories_by_digest)):
        rows = await connection.execute(
            select(*_COLUMNS)
            .join(scan_reports, scan_reports.c.id == scan_report_digests.c.report_id)
            .where(scan_report_digests.c.digest.in_(part))
        )
        counted_rows += (
            row
            for row in rows
            if row.repository_id is None or row.repository_id in repositories_by_digest[row.digest]
        )
    newest = _newest_rows(counted_rows)
    reports: dict[int, KeptReport] = {}
    for ids in chunks(sorted({row.id for row in newest})):
        result = await connection.execute(select(scan_reports).where(scan_reports.c.id.in_(ids)))
        reports |= dict(
            readable(result, lambda row: (row.id, _report_of(row)), lambda row: f"scan report {row.id}")
        )
    return [KeptAbout(row.id, row.digest, row.repository_id, row.place, reports.get(row.id)) for row in newest]


def _newest_rows(rows: Iterable[Any]) -> list[Any]:
    """Those that each scanner of each side wrote last about each digest, of the newest few scanners of a side."""
    newest: dict[tuple[str, str, int | None], Any] = {}
    sides: Counter[tuple[str, int | None]] = Counter()
    for row in sorted(rows, key=_scanned_at, reverse=True):
        side = row.digest, row.repository_id
        if (row.digest, row.scanner, row.repository_id) not in newest and sides[side] < _MOST_SCANNERS:
            newest[row.digest, row.scanner, row.repository_id] = row
            sides[side] += 1
    return list(newest.values())


@forgets(scan_reports, "what no scanner said last about an image that the fleet shows", UNREFERRED_FOR)
async def forget_reports(connection: AsyncConnection, before: datetime) -> dict[str, int]:
    """Forgets the reports kept before then that tell nothing any more; how many.

    What stays is what each scanner of each side said last about an image that the fleet shows, and about what the
    gate may compare that with: what it has let through last, and what was shown before. Images are built anew every
    week, and the same one may be scanned every night.
    """
    links = union_all(select(image_inventories.c.inventory_id), select(let_through.c.inventory_id), shown_before())
    of_platforms = [
        select(digest).where(inventories.c.id.in_(links), digest.is_not(None))
        for digest in (inventories.c.digest, inventories.c.config_digest)
    ]
    of_tags = [
        select(images.c.digest).where(images.c.digest.is_not(None)),
        select(let_through.c.digest),
        *(
            select(indexes.c.index_digest).where(indexes.c.inventory_id.in_(shown_before()))
            for indexes in (sbom_looks, later_indexes)
        ),
    ]
    rows = await connection.execute(
        select(*_COLUMNS)
        .join(scan_reports, scan_reports.c.id == scan_report_digests.c.report_id)
        .where(scan_report_digests.c.digest.in_(union_all(*of_platforms, *of_tags)))
    )
    needed = {row.id for row in _newest_rows(rows)}
    old = (await connection.execute(select(scan_reports.c.id).where(scan_reports.c.kept_at < before))).scalars()
    forgotten = sorted(set(old) - needed)
    for ids in chunks(forgotten):
        await connection.execute(delete(scan_reports).where(scan_reports.c.id.in_(ids)))
    return {"reports": len(forgotten)}


def _scanned_at(row: Any) -> tuple[datetime, int]:
    """When the image was scanned, as `KeptReport` has it; a row whose times cannot be read comes last."""
    if not isinstance(row.kept_at, datetime) or isinstance(row.scanned_at, NoMoment):
        return datetime.max.replace(tzinfo=UTC), row.id
    return min(row.scanned_at or row.kept_at, row.kept_at), row.id


def _report_of(row: Any) -> KeptReport:
    report = load(json.loads(zlib.decompress(row.report)), Report)
    scan = ScanReport(row.document, ReportOrigin(row.origin), row.place, report, row.repository_id)
    return KeptReport(scan, row.kept_at)
