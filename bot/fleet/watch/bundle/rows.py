"""Bundles of feeds: everything that they hold is read, and brought in one transaction or not at all."""

import zlib
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.feeds.advisory import Severity
from bot.domain.feeds.document import FeedKind, FeedSource, StoredDocument
from bot.domain.packages.cves.publication import CvePublication, DumpMark
from bot.domain.packages.cves.vulnerability import AffectedPackage, Vulnerability
from bot.fleet.watch.feeds.rows import import_feeds
from bot.fleet.watch.feeds.tick import DueFeed, FeedReading
from bot.fleet.watch.vulnerabilities.rows.records import SeenElsewhere, replace_records
from bot.store.engine.codec import load
from bot.store.engine.counters import EXPOSURES, FEEDS, raise_counter
from bot.store.engine.store import Store
from bot.store.engine.writing import chunks
from bot.store.rows.bases.tables import documents
from bot.store.rows.inventories.kept_data import packed, unpacked
from bot.store.rows.inventories.packages import compared_in_open
from bot.store.rows.inventories.vulnerabilities import affected_packages, dumps, vulnerabilities, vulnerability_cves
from bot.store.rows.news import load_doubts
from bot.store.rows.rollouts.rebuilds import outdate
from bot.upstream.bundle.archive import BundledDocument, BundledDump, BundledRecord, FixSeen
from bot.upstream.osv.addresses import DumpSource
from bot.upstream.osv.dump import DumpReading


@dataclass(frozen=True, slots=True)
class Imported:
    """The addresses of documents, and the publications, whose copies here were older and were replaced; and the
    addresses of those that are known here as documents of another kind, and stay that."""

    documents: frozenset[str]
    publications: frozenset[CvePublication]
    of_another_kind: frozenset[str] = frozenset()


class BundleStore(Store):
    """Reads and brings what a bundle carries to a place without a network."""

    async def document_addresses(self) -> list[str]:
        """Reads the addresses of all documents that have a copy, sorted."""
        query = select(documents.c.url).where(documents.c.body.is_not(None)).order_by(documents.c.url)
        async with self._database.reading() as connection:
            return sorted((await connection.execute(query)).scalars())

    async def document(self, url: str) -> BundledDocument | None:
        """The copy of the document at that address."""
        query = select(documents).where(documents.c.url == url, documents.c.body.is_not(None))
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            return None
        document = StoredDocument(
            *(row.url, row.etag, row.last_modified, zlib.decompress(row.body), row.fetched_at, row.checked_at)
        )
        return BundledDocument(FeedSource(FeedKind(row.kind), row.url), document)

    async def known_copy(self, source: FeedSource) -> DueFeed:
        """Reads a document with the copy that is at hand."""
        copy = await self.document(source.url)
        if copy is None:
            return DueFeed(source, None)
        async with self._database.reading() as connection:
            doubts = await connection.scalar(select(documents.c.doubts).where(documents.c.url == source.url))
        return DueFeed(source, copy.document, load_doubts(doubts))

    async def dumps(self) -> AsyncIterator[BundledDump]:
        """Yields what was kept of each dump that was read, one after the other, and holds no connection while its
        user works with it."""
        query = select(dumps.c.id).where(dumps.c.checked_at.is_not(None), dumps.c.considered.is_not(None))
        async with self._database.reading() as connection:
            numbers = list(await connection.scalars(query.order_by(dumps.c.ecosystem)))
        for number in numbers:
            async with self._database.reading() as connection:
                row = (await connection.execute(select(dumps).where(dumps.c.id == number))).one()
                records = await _read_records(connection, number)
            yield BundledDump(
                DumpSource(CvePublication(row.ecosystem), row.place),
                DumpMark(row.etag or "", row.last_modified or ""),
                unpacked(row.considered),
                row.reader or "",
                row.entries or 0,
                min(row.fetched_at, row.checked_at),
                row.checked_at,
                records,
                tuple(row.problems or ()),
                row.newest_at,
            )

    async def bring(
        self,
        readings: Sequence[FeedReading],
        dumps_brought: Sequence[BundledDump],
        files: Collection[CvePublication],
    ) -> Imported:
        """Keeps what is newer than the copies here. Dumps count where the settings name them, except for `files`,
        which are read from files of this machine."""
        now = self._clock.now()
        async with self._database.transaction() as connection:
            newer, others = await import_feeds(connection, readings, now)
            publications: set[CvePublication] = set()
            outdated: set[int] = set()
            if dumps_brought:
                await raise_counter(connection, EXPOSURES)
            for dump in sorted(dumps_brought, key=lambda each: each.source.publication):
                if dump.source.publication in files:
                    continue
                if (rebuild_ids := await _import_dump(connection, dump, now)) is not None:
                    publications.add(dump.source.publication)
                    outdated |= rebuild_ids
            await outdate(connection, sorted(outdated), now)
            if newer:
                await raise_counter(connection, FEEDS)
        return Imported(newer, frozenset(publications), others)


async def _import_dump(connection: AsyncConnection, dump: BundledDump, now: datetime) -> frozenset[int] | None:
    """The rebuilds whose open pull requests are to tell of it; None where what is here is as new.

    Whoever reads the dump meanwhile goes on: what its own place says is newer.
    """
    of_publication = dumps.c.ecosystem == dump.source.publication.value
    row = (
        await connection.execute(select(dumps).where(of_publication).with_for_update(key_share=True))
    ).one_or_none()
    if row is None or (row.checked_at is not None and row.checked_at >= dump.checked_at):
        return None
    is_same_place = row.place == dump.source.place
    values: dict[str, Any] = {
        "etag": dump.mark.etag if is_same_place else None,
        "last_modified": dump.mark.last_modified if is_same_place else None,
        "considered": packed(dump.considered),
        "asked": None,
        "settled": None,
        "reader": dump.reader,
        "entries": dump.entries,
        "problems": list(dump.problems),
        "fetched_at": dump.fetched_at,
        "checked_at": dump.checked_at,
        "newest_at": dump.newest_at,
        "error": None,
    }
    await connection.execute(update(dumps).where(dumps.c.id == row.id).values(**values))
    first_sights = {each.vulnerability.id: _first_sight_of(each) for each in dump.records}
    records = tuple(each.vulnerability for each in dump.records)
    replaced = await replace_records(connection, row.id, DumpReading(records), now, elsewhere=first_sights)
    return replaced.outdated | await compared_in_open(connection, row.fetched_at)


def _first_sight_of(record: BundledRecord) -> SeenElsewhere:
    name = record.vulnerability.id
    return SeenElsewhere(record.seen_at, {(name, fix.release, fix.name): fix.at for fix in record.fixes})


async def _read_records(connection: AsyncConnection, number: int) -> tuple[BundledRecord, ...]:
    """The records in the order of their names as Python has it: databases sort dashes and capitals each in their
    way, and the same contents are to give the same bytes."""
    query_of_dump = select(vulnerabilities).where(vulnerabilities.c.dump_id == number)
    rows = sorted(await connection.execute(query_of_dump), key=lambda row: str(row.name))
    cves: dict[int, list[str]] = {}
    affected: dict[int, list[AffectedPackage]] = {}
    fixes: dict[int, list[FixSeen]] = {}
    for ids in chunks(sorted(row.id for row in rows)):
        query = select(vulnerability_cves).where(vulnerability_cves.c.vulnerability_id.in_(ids))
        for row in await connection.execute(query):
            cves.setdefault(row.vulnerability_id, []).append(row.cve)
        affected_query = select(affected_packages).where(affected_packages.c.vulnerability_id.in_(ids))
        for row in await connection.execute(affected_query.order_by(affected_packages.c.id)):
            package = load(row.affected, AffectedPackage)
            affected.setdefault(row.vulnerability_id, []).append(package)
            if row.fix_seen_at is not None:
                fix = FixSeen(row.release, package.name, row.fix_seen_at)
                fixes.setdefault(row.vulnerability_id, []).append(fix)
    return tuple(
        BundledRecord(
            Vulnerability(
                row.name,
                tuple(sorted(cves.get(row.id, ()))),
                row.title,
                Severity(row.severity) if row.severity else None,
                row.rated_by,
                row.score,
                row.published_at,
                tuple(affected.get(row.id, ())),
            ),
            row.seen_at,
            tuple(fixes.get(row.id, ())),
        )
        for row in rows
    )
