"""Dumps of vulnerabilities: what the stage that follows them reads and writes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import String, cast, delete, null, select, union, update

from bot.domain.packages.cves.dump import DumpMark
from bot.domain.packages.cves.publication import CvePublication
from bot.domain.packages.cves.vulnerability import (
    ANY_RELEASE,
    Ecosystem,
    listed_as,
    release_of,
)
from bot.domain.packages.package import Distribution, Package
from bot.fleet.watch.vulnerabilities.rows.records import replace_records
from bot.fleet.watch.vulnerabilities.tick import READER, DueDump, KeptDump
from bot.reconcile.work import Claimed
from bot.store.engine.codec import load_text
from bot.store.engine.counters import EXPOSURES, raise_counter
from bot.store.engine.inserting import insert_missing
from bot.store.engine.queue.claiming import settle
from bot.store.engine.queue.due_rows import DueRows
from bot.store.engine.store import Store
from bot.store.rows.inventories.considered import packed, packed_questions, unpacked, unpacked_questions
from bot.store.rows.inventories.inventories import inventories, inventory_packages, packages
from bot.store.rows.inventories.packages import compared_in_open
from bot.store.rows.inventories.sboms import sbom_packages, sboms
from bot.store.rows.inventories.vulnerabilities import (
    affected_packages,
    dumps,
    vulnerabilities,
)
from bot.store.rows.news import tell_silence
from bot.store.rows.rollouts.rebuilds import outdate
from bot.upstream.osv.addresses import DumpSource
from bot.upstream.osv.dump import DumpReading
from bot.upstream.osv.questions import KnownRecord, PackageQuestion
from bot.upstream.osv.record import WantedPackages


class VulnerabilitiesStore(Store):
    """`bot.fleet.watch.vulnerabilities.tick.DumpsStore` on the database."""

    async def follow_dumps(self, sources: Sequence[DumpSource]) -> None:
        now = self._clock.now()
        wanted = {source.publication.value: source.place for source in sources}
        async with self._database.reading() as connection:
            rows = (await connection.execute(select(dumps.c.ecosystem, dumps.c.place))).all()
        if {row.ecosystem: row.place for row in rows} == wanted:
            return
        async with self._database.transaction() as connection:
            await connection.execute(delete(dumps).where(dumps.c.ecosystem.not_in(wanted)))
            for name, place in sorted(wanted.items()):
                row = insert_missing(connection, dumps, ecosystem=name, place=place, due_at=now)
                await connection.execute(row)
                moved = (dumps.c.ecosystem == name, dumps.c.place != place)
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
            names = {name for row in rows for name in Package(row[0], row[1], "", source=row[2]).listed_names}
        releases = {release for each in distributions if (release := release_of(each)) is not None}
        return WantedPackages(frozenset({ANY_RELEASE, *releases}), frozenset(names))

    async def questions(self, ecosystem: Ecosystem) -> frozenset[PackageQuestion]:
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
        found: set[PackageQuestion] = set()
        async with self._database.reading() as connection:
            for first, second, *names in await connection.execute(union(told, listed)):
                text = next((each for each in (first, second) if each and each != "null"), None)
                distribution = load_text(text, Distribution) if text is not None else None
                release = release_of(distribution) if ecosystem.has_releases else ANY_RELEASE
                if release is None or not (release == ANY_RELEASE or release.startswith(f"{ecosystem}:")):
                    continue
                name, number, source, source_version = names
                package = Package(ecosystem.package_type, name, number, None, source, source_version)
                found.add(PackageQuestion(release, *listed_as(package)))
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
        if kept.mark is not None and kept.reading is not None:
            values |= {
                "etag": kept.mark.etag,
                "last_modified": kept.mark.last_modified,
                "considered": packed(kept.considered),
                "asked": packed_questions(kept.asked),
                "reader": READER,
                "fetched_at": now,
            }
        async with self._database.transaction() as connection:
            if kept.reading is not None:
                await raise_counter(connection, EXPOSURES)
            of_publication = dumps.c.ecosystem == kept.source.publication.value
            known = (await connection.execute(select(dumps).where(of_publication))).one()
            row = known.id
            if known.place != kept.source.place:
                await settle(connection, dumps, self._worker, row, due_at=now)
                return 0
            if kept.mark is not None and not kept.adds:
                values["checked_at"] = _checked_at(kept, known, now)
            if kept.reading is not None:
                values |= _told_by(kept.reading, known if kept.adds else None)
            await settle(connection, dumps, self._worker, row, due_at=due_at, values=values)
            if kept.reading is None:
                await tell_silence(connection, kept.source.publication, now)
                return 0
            stay = None if kept.adds else kept.reading.unchanged
            replaced = await replace_records(connection, row, kept.reading, now, stay=stay)
            late = await compared_in_open(connection, known.fetched_at)
            await outdate(connection, sorted(replaced.outdated | late), now)
            await tell_silence(connection, kept.source.publication, now)
            return replaced.records


def _checked_at(kept: KeptDump, known: Any, now: datetime) -> datetime:
    """Of when the data is; of a file whose time is not yet, when it was read first."""
    if kept.as_of is None or kept.as_of <= now:
        return kept.as_of or now
    is_as_before = kept.mark == DumpMark(known.etag or "", known.last_modified or "")
    return known.checked_at if is_as_before and known.checked_at is not None else now


def _told_by(reading: DumpReading, before: Any | None) -> dict[str, Any]:
    """What is shown of a reading; one that only adds to `before` leaves that standing."""
    problems = [str(problem) for problem in reading.problems]
    if before is None:
        return {"entries": reading.entries, "problems": problems, "newest_at": reading.newest_at}
    return {"problems": list(dict.fromkeys([*(before.problems or ()), *problems]))}


async def _due_dump(claimed: Claimed) -> DueDump:
    row = claimed.row
    source = DumpSource(CvePublication(row["ecosystem"]), row["place"])
    if row["etag"] is None or row["considered"] is None:
        return DueDump(source)
    mark = DumpMark(row["etag"], row["last_modified"])
    considered, asked = unpacked(row["considered"]), unpacked_questions(row["asked"])
    asked_at = row["checked_at"] if row["asked"] is not None else None
    return DueDump(source, mark, considered, row["reader"] or "", asked, asked_at)
