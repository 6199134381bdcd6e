"""Dumps of vulnerabilities: what the stage that follows them reads and writes."""

import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import String, cast, delete, insert, null, select, union, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.packages.dump import DumpMark
from bot.domain.packages.package import Distribution, Package
from bot.domain.packages.vulnerability import (
    ANY_RELEASE,
    AffectedPackage,
    Ecosystem,
    Vulnerability,
    listed_as,
    release_of,
)
from bot.reconcile.work import Claimed
from bot.store.engine.codec import dump, load_text
from bot.store.engine.counters import EXPOSURES, raise_counter
from bot.store.engine.inserting import chunks, insert_missing
from bot.store.engine.queue.claiming import settle
from bot.store.engine.queue.due_rows import DueRows
from bot.store.engine.store import Store
from bot.store.rows.inventories.inventories import inventories, inventory_packages, packages
from bot.store.rows.inventories.sboms import sbom_packages, sboms
from bot.store.rows.inventories.vulnerabilities import (
    affected_names,
    affected_packages,
    dumps,
    expose_to,
    names_of_package,
    vulnerabilities,
    vulnerability_cves,
)
from bot.watch.osv.dump import DumpReading
from bot.watch.osv.questions import KnownRecord, Question
from bot.watch.osv.record import WantedPackages
from bot.watch.osv.stage import READER, DueDump, DumpSource, KeptDump


@dataclass(frozen=True, slots=True)
class SeenElsewhere:
    """Since when a record is known, and its fixes by record, release and package."""

    at: datetime
    fixes: Mapping[tuple[str, str, str], datetime] = field(default_factory=dict)


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
                unmarked = {"place": place, "etag": None, "last_modified": None, "asked": None, "due_at": now}
                await connection.execute(update(dumps).where(*moved).values(**unmarked))

    @property
    def dumps(self) -> DueRows[DueDump]:
        return DueRows(self._database, self._worker, dumps, _due_dump, lambda row: str(row["place"]))

    async def wanted_packages(self) -> WantedPackages:
        column = cast(inventories.c.distribution, String)
        async with self._database.reading() as connection:
            told = union(
                select(column).where(inventories.c.read_at.is_not(None)), select(cast(sboms.c.distribution, String))
            )
            texts = (await connection.execute(told)).scalars()
            distributions = [load_text(text, Distribution) for text in texts if text and text != "null"]
            rows = await connection.execute(select(packages.c.type, packages.c.name, packages.c.source).distinct())
            names = {name for row in rows for name in names_of_package(Package(row[0], row[1], "", source=row[2]))}
        releases = {release for each in distributions if (release := release_of(each)) is not None}
        return WantedPackages(frozenset({ANY_RELEASE, *releases}), frozenset(names))

    async def questions(self, ecosystem: Ecosystem) -> frozenset[Question]:
        """Each version of a package that an ecosystem may know of, once, whether layers or an SBOM tell of it."""
        of_layers, of_sbom = cast(inventories.c.distribution, String), cast(sboms.c.distribution, String)
        version = (packages.c.name, packages.c.version, packages.c.source, packages.c.source_version)
        is_of_type = packages.c.type == ecosystem.package_type.value
        told = (
            select(of_layers, cast(null(), String), *version)
            .join(inventory_packages, inventory_packages.c.package_id == packages.c.id)
            .join(inventories, inventories.c.id == inventory_packages.c.inventory_id)
            .where(is_of_type)
        )
        listed = (
            select(of_layers, of_sbom, *version)
            .join(sbom_packages, sbom_packages.c.package_id == packages.c.id)
            .join(sboms, sboms.c.id == sbom_packages.c.sbom_id)
            .join(inventories, inventories.c.id == sboms.c.inventory_id)
            .where(is_of_type)
        )
        found: set[Question] = set()
        async with self._database.reading() as connection:
            for first, second, *names in await connection.execute(union(told, listed)):
                text = next((each for each in (first, second) if each and each != "null"), None)
                distribution = load_text(text, Distribution) if text is not None else None
                release = release_of(distribution) if ecosystem.has_releases else ANY_RELEASE
                if release is None or not (release == ANY_RELEASE or release.startswith(f"{ecosystem}:")):
                    continue
                name, number, source, source_version = names
                package = Package(ecosystem.package_type, name, number, None, source, source_version)
                found.add(Question(release, *listed_as(package)))
        return frozenset(found)

    async def known_records(self, ecosystem: Ecosystem) -> dict[str, KnownRecord]:
        """The records that are kept, by their ids, as far as it is known when they were changed last."""
        package = affected_packages.c.affected["name"].as_string()
        query = (
            select(
                *(vulnerabilities.c.name, vulnerabilities.c.modified, affected_packages.c.release),
                package.label("package"),
            )
            .join(dumps, dumps.c.id == vulnerabilities.c.dump_id)
            .join(affected_packages, affected_packages.c.vulnerability_id == vulnerabilities.c.id)
            .where(dumps.c.ecosystem == ecosystem.value, vulnerabilities.c.modified.is_not(None))
        )
        modified: dict[str, str] = {}
        packages: dict[str, set[tuple[str, str]]] = {}
        async with self._database.reading() as connection:
            for row in await connection.execute(query):
                modified[row.name] = row.modified
                packages.setdefault(row.name, set()).add((row.release, row.package.lower()))
        return {name: KnownRecord(at, frozenset(packages[name])) for name, at in modified.items()}

    async def keep_dump(self, kept: KeptDump, due_at: datetime) -> int:
        now = self._clock.now()
        values: dict[str, Any] = {"error": None}
        if kept.mark is not None and not kept.adds:
            values["checked_at"] = now
        if kept.mark is not None and kept.reading is not None:
            values |= {
                "etag": kept.mark.etag,
                "last_modified": kept.mark.last_modified,
                "considered": packed(kept.considered),
                "asked": _packed_questions(kept.asked),
                "reader": READER,
                "fetched_at": now,
            }
        async with self._database.transaction() as connection:
            if kept.reading is not None:
                await raise_counter(connection, EXPOSURES)
            of_ecosystem = dumps.c.ecosystem == kept.source.ecosystem.value
            known = (await connection.execute(select(dumps).where(of_ecosystem))).one()
            row = known.id
            if known.place != kept.source.place:
                await settle(connection, dumps, self._worker, row, due_at=now)
                return 0
            if kept.reading is not None:
                values |= _told_by(kept.reading, known if kept.adds else None)
            await settle(connection, dumps, self._worker, row, due_at=due_at, values=values)
            if kept.reading is None:
                return 0
            stay = None if kept.adds else kept.reading.unchanged
            return await replace_records(connection, row, kept.reading, now, stay=stay)


def _told_by(reading: DumpReading, before: Any | None) -> dict[str, Any]:
    """What is shown of a reading; one that only adds to `before` leaves that standing."""
    problems = [str(problem) for problem in reading.problems]
    if before is None:
        return {"entries": reading.entries, "problems": problems}
    return {"problems": list(dict.fromkeys([*(before.problems or ()), *problems]))}


async def replace_records(
    connection: AsyncConnection,
    number: int,
    reading: DumpReading,
    now: datetime,
    *,
    elsewhere: Mapping[str, SeenElsewhere] | None = None,
    stay: frozenset[str] | None = frozenset(),
) -> int:
    """Writes what differs from what the dump said before, and nothing else; how many records that is.

    `elsewhere` is since when what is new here was known where it comes from, by record; else it is new `now`.
    Records that are not in the reading go, except for those that `stay`; all stay where that is None.
    """
    found = reading.vulnerabilities
    before = await connection.execute(
        select(
            vulnerabilities.c.id,
            vulnerabilities.c.name,
            vulnerabilities.c.content,
            vulnerabilities.c.seen_at,
            vulnerabilities.c.modified,
        ).where(vulnerabilities.c.dump_id == number)
    )
    known = {row.name: row for row in before}
    contents = {each.id: _content(each) for each in found}
    unread = known.keys() - contents.keys() - (known.keys() if stay is None else stay)
    gone = [
        row.id for name, row in known.items() if name in unread or contents.get(name, row.content) != row.content
    ]
    fixes = await _fixes_seen(connection, gone)
    for ids in chunks(sorted(gone)):
        await connection.execute(delete(vulnerabilities).where(vulnerabilities.c.id.in_(ids)))
    new = [each for each in found if each.id not in known or known[each.id].content != contents[each.id]]
    affected: dict[int, AffectedPackage] = {}
    for each in new:
        seen = (elsewhere or {}).get(each.id, SeenElsewhere(now))
        seen_at = min(known[each.id].seen_at, seen.at) if each.id in known else seen.at
        row = {
            "dump_id": number,
            "name": each.id,
            "content": contents[each.id],
            "modified": reading.modified.get(each.id),
            "title": each.title,
            "severity": each.severity.value if each.severity is not None else None,
            "rated_by": each.rated_by,
            "score": each.score,
            "published_at": each.published_at,
            "seen_at": seen_at,
        }
        inserted = await connection.execute(insert(vulnerabilities).values(**row).returning(vulnerabilities.c.id))
        affected |= await _insert_affected(connection, inserted.scalar_one(), each, (seen.fixes, fixes), now)
    await expose_to(connection, affected)
    same = {each.id: reading.modified.get(each.id) for each in found if known.get(each.id) is not None}
    for name in sorted(same.keys() - {each.id for each in new}):
        if same[name] != known[name].modified:
            of_record = update(vulnerabilities).where(vulnerabilities.c.id == known[name].id)
            await connection.execute(of_record.values(modified=same[name]))
    return len(new) + len(unread)


async def _insert_affected(
    connection: AsyncConnection,
    number: int,
    record: Vulnerability,
    fixes: Sequence[Mapping[tuple[str, str, str], datetime]],
    now: datetime,
) -> dict[int, AffectedPackage]:
    if record.cves:
        rows = [{"vulnerability_id": number, "cve": cve[:32]} for cve in record.cves]
        await connection.execute(insert(vulnerability_cves), rows)
    found: dict[int, AffectedPackage] = {}
    for each in record.affected:
        known = (some.get((record.id, each.release, each.name)) for some in fixes)
        fixed_at = min((at for at in known if at is not None), default=now) if each.has_fix else None
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


def packed(considered: WantedPackages) -> bytes:
    """What was looked for, for its column: it may be thousands of names."""
    return zlib.compress(json.dumps([sorted(considered.releases), sorted(considered.names)]).encode())


def unpacked(considered: bytes) -> WantedPackages:
    """What `packed` has made smaller."""
    releases, names = json.loads(zlib.decompress(considered))
    return WantedPackages(frozenset(releases), frozenset(names))


def _packed_questions(asked: frozenset[Question]) -> bytes | None:
    rows = [[each.release, each.name, each.version] for each in sorted(asked)]
    return zlib.compress(json.dumps(rows).encode()) if rows else None


def _unpacked_questions(asked: bytes | None) -> frozenset[Question]:
    return (
        frozenset(Question(*row) for row in json.loads(zlib.decompress(asked)))
        if asked is not None
        else frozenset()
    )


async def _due_dump(claimed: Claimed) -> DueDump:
    row = claimed.row
    source = DumpSource(Ecosystem(row["ecosystem"]), row["place"])
    if row["etag"] is None or row["considered"] is None:
        return DueDump(source)
    mark = DumpMark(row["etag"], row["last_modified"])
    considered, asked = unpacked(row["considered"]), _unpacked_questions(row["asked"])
    asked_at = row["checked_at"] if row["asked"] is not None else None
    return DueDump(source, mark, considered, row["reader"] or "", asked, asked_at)
