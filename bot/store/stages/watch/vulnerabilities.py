"""Dumps of vulnerabilities: what the stage that follows them reads and writes."""

import hashlib
import json
import zlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import String, cast, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.packages.dump import DumpMark
from bot.domain.packages.package import Distribution, Package
from bot.domain.packages.vulnerability import ANY_RELEASE, AffectedPackage, Ecosystem, Vulnerability, release_of
from bot.reconcile.work import Claimed
from bot.store.engine.codec import dump, load_text
from bot.store.engine.counters import EXPOSURES, raise_counter
from bot.store.engine.inserting import chunks, insert_missing
from bot.store.engine.queue.claiming import settle
from bot.store.engine.queue.due_rows import DueRows
from bot.store.engine.store import Store
from bot.store.rows.inventories.inventories import inventories, packages
from bot.store.rows.inventories.vulnerabilities import (
    affected_names,
    affected_packages,
    dumps,
    expose_to,
    names_of_package,
    vulnerabilities,
    vulnerability_cves,
)
from bot.watch.osv.record import WantedPackages
from bot.watch.osv.stage import READER, DueDump, DumpSource, KeptDump


class VulnerabilitiesStore(Store):
    async def follow_dumps(self, sources: Sequence[DumpSource]) -> None:
        now = self._clock.now()
        wanted = {source.ecosystem.value: source.place for source in sources}
        async with self._database.reading() as connection:
            rows = (await connection.execute(select(dumps.c.ecosystem, dumps.c.place))).all()
        if {row.ecosystem: row.place for row in rows} == wanted:
            return
        async with self._database.transaction() as connection:
            await connection.execute(delete(dumps).where(dumps.c.ecosystem.not_in(wanted)))
            for ecosystem, place in sorted(wanted.items()):
                row = insert_missing(connection, dumps, ecosystem=ecosystem, place=place, due_at=now)
                await connection.execute(row)
                moved = (dumps.c.ecosystem == ecosystem, dumps.c.place != place)
                unmarked = {"place": place, "etag": None, "last_modified": None, "due_at": now}
                await connection.execute(update(dumps).where(*moved).values(**unmarked))

    @property
    def dumps(self) -> DueRows[DueDump]:
        return DueRows(self._database, self._worker, dumps, _due_dump, lambda row: str(row["place"]))

    async def wanted_packages(self) -> WantedPackages:
        column = cast(inventories.c.distribution, String)
        async with self._database.reading() as connection:
            told = await connection.execute(select(column).where(inventories.c.read_at.is_not(None)).distinct())
            distributions = [load_text(text, Distribution) for text in told.scalars() if text and text != "null"]
            rows = await connection.execute(select(packages.c.type, packages.c.name, packages.c.source).distinct())
            names = {name for row in rows for name in names_of_package(Package(row[0], row[1], "", source=row[2]))}
        releases = {release for each in distributions if (release := release_of(each)) is not None}
        return WantedPackages(frozenset({ANY_RELEASE, *releases}), frozenset(names))

    async def keep_dump(self, kept: KeptDump, due_at: datetime) -> int:
        now = self._clock.now()
        values: dict[str, Any] = {"error": None}
        if kept.mark is not None:
            values["checked_at"] = now
        if kept.mark is not None and kept.reading is not None:
            values |= {
                "etag": kept.mark.etag,
                "last_modified": kept.mark.last_modified,
                "considered": _packed(kept.considered),
                "reader": READER,
                "entries": kept.reading.entries,
                "problems": [str(problem) for problem in kept.reading.problems],
                "fetched_at": now,
            }
        async with self._database.transaction() as connection:
            if kept.reading is not None:
                await raise_counter(connection, EXPOSURES)
            ecosystem = dumps.c.ecosystem == kept.source.ecosystem.value
            row = (await connection.execute(select(dumps.c.id).where(ecosystem))).scalar_one()
            await settle(connection, dumps, self._worker, row, due_at=due_at, values=values)
            if kept.reading is None:
                return 0
            return await _replace(connection, row, kept.reading.vulnerabilities, now)


async def _replace(connection: AsyncConnection, number: int, found: Sequence[Vulnerability], now: datetime) -> int:
    """Writes what differs from what the dump said before, and nothing else; how many records that is."""
    before = await connection.execute(
        select(
            vulnerabilities.c.id, vulnerabilities.c.name, vulnerabilities.c.content, vulnerabilities.c.seen_at
        ).where(vulnerabilities.c.dump_id == number)
    )
    known = {row.name: row for row in before}
    contents = {each.id: _content(each) for each in found}
    gone = [row.id for name, row in known.items() if contents.get(name) != row.content]
    fixes = await _fixes_seen(connection, gone)
    for ids in chunks(sorted(gone)):
        await connection.execute(delete(vulnerabilities).where(vulnerabilities.c.id.in_(ids)))
    new = [each for each in found if each.id not in known or known[each.id].content != contents[each.id]]
    affected: dict[int, AffectedPackage] = {}
    for each in new:
        seen_at = known[each.id].seen_at if each.id in known else now
        row = {
            "dump_id": number,
            "name": each.id,
            "content": contents[each.id],
            "title": each.title,
            "severity": each.severity.value if each.severity is not None else None,
            "rated_by": each.rated_by,
            "score": each.score,
            "published_at": each.published_at,
            "seen_at": seen_at,
        }
        inserted = await connection.execute(insert(vulnerabilities).values(**row).returning(vulnerabilities.c.id))
        affected |= await _insert_affected(connection, inserted.scalar_one(), each, fixes, now)
    await expose_to(connection, affected)
    return len(new) + len(known.keys() - contents.keys())


async def _insert_affected(
    connection: AsyncConnection,
    number: int,
    record: Vulnerability,
    fixes: dict[tuple[str, str, str], datetime],
    now: datetime,
) -> dict[int, AffectedPackage]:
    if record.cves:
        rows = [{"vulnerability_id": number, "cve": cve[:32]} for cve in record.cves]
        await connection.execute(insert(vulnerability_cves), rows)
    found: dict[int, AffectedPackage] = {}
    for each in record.affected:
        fixed_at = fixes.get((record.id, each.release, each.name), now) if each.has_fix else None
        inserted = await connection.execute(
            insert(affected_packages)
            .values(
                vulnerability_id=number,
                release=each.release,
                affected=dump(each, AffectedPackage),
                fix_seen_at=fixed_at,
            )
            .returning(affected_packages.c.id)
        )
        found[inserted.scalar_one()] = each
    names = [{"affected_id": row, "name": name} for row, each in found.items() for name in sorted(each.names)]
    for some in chunks(names):
        await connection.execute(insert(affected_names), some)
    return found


async def _fixes_seen(connection: AsyncConnection, numbers: Sequence[int]) -> dict[tuple[str, str, str], datetime]:
    """Since when fixes are known of what is about to be replaced, by record, release and package."""
    found: dict[tuple[str, str, str], datetime] = {}
    for ids in chunks(sorted(numbers)):
        rows = await connection.execute(
            select(
                vulnerabilities.c.name,
                affected_packages.c.release,
                affected_packages.c.affected,
                affected_packages.c.fix_seen_at,
            )
            .join(vulnerabilities, vulnerabilities.c.id == affected_packages.c.vulnerability_id)
            .where(vulnerabilities.c.id.in_(ids), affected_packages.c.fix_seen_at.is_not(None))
        )
        found |= {(row.name, row.release, row.affected["name"]): row.fix_seen_at for row in rows}
    return found


def _content(record: Vulnerability) -> str:
    return hashlib.sha256(json.dumps(dump(record, Vulnerability), sort_keys=True).encode()).hexdigest()


def _packed(considered: WantedPackages) -> bytes:
    return zlib.compress(json.dumps([sorted(considered.releases), sorted(considered.names)]).encode())


async def _due_dump(claimed: Claimed) -> DueDump:
    row = claimed.row
    source = DumpSource(Ecosystem(row["ecosystem"]), row["place"])
    if row["etag"] is None or row["considered"] is None:
        return DueDump(source)
    releases, names = json.loads(zlib.decompress(row["considered"]))
    considered = WantedPackages(frozenset(releases), frozenset(names))
    return DueDump(source, DumpMark(row["etag"], row["last_modified"]), considered, row["reader"] or "")
