"""Dumps of vulnerabilities: what the stage that follows them reads and writes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, String, cast, delete, exists, null, select, union, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.packages.cves.publication import CvePublication, DumpMark
from bot.domain.packages.cves.vulnerability import (
    ANY_RELEASE,
    Ecosystem,
    listed_as,
)
from bot.domain.packages.package import Package
from bot.fleet.watch.vulnerabilities.rows.records import replace_records
from bot.fleet.watch.vulnerabilities.tick import READER, DueDump, KeptDump
from bot.reconcile.work import Claimed
from bot.store.engine.codec import readable
from bot.store.engine.counters import EXPOSURES, raise_counter
from bot.store.engine.queue.claiming import DueRows, settle
from bot.store.engine.store import Store
from bot.store.engine.writing import insert_missing
from bot.store.pages.images.found_packages import release_in
from bot.store.rows.inventories.inventories import inventories, inventory_packages, packages, sbom_packages, sboms
from bot.store.rows.inventories.kept_data import (
    packed,
    packed_entries,
    packed_questions,
    unpacked,
    unpacked_entries,
    unpacked_questions,
)
from bot.store.rows.inventories.packages import compared_in_open
from bot.store.rows.inventories.vulnerabilities import (
    affected_packages,
    dumps,
    vulnerabilities,
)
from bot.store.rows.news import tell_silence
from bot.store.rows.rollouts.rebuilds import outdate
from bot.store.rows.running.past import package_set_blocks, past_contents, past_images, sets_with
from bot.upstream.osv.addresses import DumpSource
from bot.upstream.osv.dump import DumpReading
from bot.upstream.osv.members import LastReading
from bot.upstream.osv.questions import KnownRecord, PackageQuestion
from bot.upstream.osv.record import WantedPackages


class VulnerabilitiesStore(Store):
    """`bot.fleet.watch.vulnerabilities.tick.DumpsStore` on the database."""

    async def follow_dumps(self, sources: Sequence[DumpSource]) -> None:
        now = self._clock.now()
        place_of = {source.publication.value: source.place for source in sources}
        async with self._database.reading() as connection:
            rows = (await connection.execute(select(dumps.c.ecosystem, dumps.c.place))).all()
        if {row.ecosystem: row.place for row in rows} == place_of:
            return
        async with self._database.transaction() as connection:
            await connection.execute(delete(dumps).where(dumps.c.ecosystem.not_in(place_of)))
            for name, place in sorted(place_of.items()):
                row = insert_missing(connection, dumps, ecosystem=name, place=place, due_at=now)
                await connection.execute(row)
                is_moved = (dumps.c.ecosystem == name, dumps.c.place != place)
                unmarked_columns = {
                    "place": place,
                    "etag": None,
                    "last_modified": None,
                    "asked": None,
                    "settled": None,
                    "due_at": now,
                }
                await connection.execute(update(dumps).where(*is_moved).values(**unmarked_columns))

    @property
    def dumps(self) -> DueRows[DueDump]:
        return DueRows(self._database, self._worker, dumps, _due_dump, lambda row: str(row["place"]))

    async def wanted_packages(self) -> WantedPackages:
        column = cast(inventories.c.distribution, String)
        async with self._database.reading() as connection:
            query = union(
                select(column).where(inventories.c.read_at.is_not(None)),
                select(cast(sboms.c.distribution, String)),
                select(cast(past_images.c.distribution, String)).where(past_images.c.is_read),
            )
            texts = (await connection.execute(query)).scalars()
            releases = readable(texts, release_in, _name_of_distribution)
            rows = await connection.execute(select(packages.c.type, packages.c.name, packages.c.source).distinct())
            names = {name for row in rows for name in Package(row[0], row[1], "", source=row[2]).listed_names}
        return WantedPackages(frozenset({ANY_RELEASE, *filter(None, releases)}), frozenset(names))

    async def questions(self, ecosystem: Ecosystem) -> frozenset[PackageQuestion]:
        """Each version of a package that an ecosystem may know of, once, whether layers, an SBOM or a set of what
        ran tell of it."""
        of_layers, of_sbom = cast(inventories.c.distribution, String), cast(sboms.c.distribution, String)
        version = (packages.c.name, packages.c.version, packages.c.source, packages.c.source_version)
        is_of_type = packages.c.type == ecosystem.package_type.value
        layers_query = (
            select(of_layers, cast(null(), String), *version)
            .join(inventory_packages, inventory_packages.c.package_id == packages.c.id)
            .join(inventories, inventories.c.id == inventory_packages.c.inventory_id)
            .where(is_of_type)
        )
        sboms_query = (
            select(of_layers, of_sbom, *version)
            .join(sbom_packages, sbom_packages.c.package_id == packages.c.id)
            .join(sboms, sboms.c.id == sbom_packages.c.sbom_id)
            .join(inventories, inventories.c.id == sboms.c.inventory_id)
            .where(is_of_type)
        )
        async with self._database.reading() as connection:
            rows = [tuple(row) for row in await connection.execute(union(layers_query, sboms_query))]
            rows += await _of_what_ran(connection, ecosystem, *version)
        questions: set[PackageQuestion] = set()
        for first, second, name, number, source, source_version in rows:
            text = next((each for each in (first, second) if each and each != "null"), None)
            releases = (
                readable([text], release_in, _name_of_distribution) if ecosystem.has_releases else [ANY_RELEASE]
            )
            release = next(iter(releases), None)
            if release is None or not (release == ANY_RELEASE or release.startswith(f"{ecosystem}:")):
                continue
            package = Package(ecosystem.package_type, name, number, None, source, source_version)
            questions.add(PackageQuestion(release, *listed_as(package)))
        return frozenset(questions)

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
        return {name: KnownRecord(modified_at, frozenset(packages[name])) for name, modified_at in modified.items()}

    async def keep_dump(self, dump: KeptDump, due_at: datetime) -> int:
        now = self._clock.now()
        values: dict[str, Any] = {"error": None}
        if dump.mark is not None and dump.reading is not None:
            values |= {
                "etag": dump.mark.etag,
                "last_modified": dump.mark.last_modified,
                "considered": packed(dump.considered),
                "asked": packed_questions(dump.questions),
                "settled": packed_entries(dump.reading.settled),
                "reader": READER,
                "fetched_at": now,
            }
        async with self._database.transaction() as connection:
            if dump.reading is not None:
                await raise_counter(connection, EXPOSURES)
            of_publication = dumps.c.ecosystem == dump.source.publication.value
            dump_row = (await connection.execute(select(dumps).where(of_publication))).one()
            row = dump_row.id
            if dump_row.place != dump.source.place or _lost_its_ground(dump, dump_row):
                await settle(connection, dumps, self._worker, row, due_at=now)
                return 0
            if dump.mark is not None and not dump.adds:
                values["checked_at"] = _checked_at(dump, dump_row, now)
            if dump.reading is not None:
                values |= _columns_of_reading(dump.reading, dump_row if dump.adds else None)
            await settle(connection, dumps, self._worker, row, due_at=due_at, values=values)
            if dump.reading is None:
                await tell_silence(connection, dump.source.publication, now)
                return 0
            stay = None if dump.adds else dump.reading.unchanged
            replaced = await replace_records(connection, row, dump.reading, now, stay=stay)
            late_ids = await compared_in_open(connection, dump_row.fetched_at)
            await outdate(connection, sorted(replaced.outdated | late_ids), now)
            await tell_silence(connection, dump.source.publication, now)
            return replaced.records


def _name_of_distribution(text: str | None) -> str:
    return f"distribution {text}"


def _lost_its_ground(dump: KeptDump, dump_row: Any) -> bool:
    """Whether entries were left out that the store holds no more, since a bundle has replaced what was kept."""
    is_of_entries = dump.reading is not None and dump.reading.settled and dump.reading.unchanged
    return bool(is_of_entries) and dump_row.settled is None


def _checked_at(dump: KeptDump, dump_row: Any, now: datetime) -> datetime:
    """Of when the data is; of a file whose time is not yet, when it was read first."""
    if dump.as_of is None or dump.as_of <= now:
        return dump.as_of or now
    is_as_before = dump.mark == DumpMark(dump_row.etag or "", dump_row.last_modified or "")
    return dump_row.checked_at if is_as_before and dump_row.checked_at is not None else now


def _columns_of_reading(reading: DumpReading, before: Any | None) -> dict[str, Any]:
    """What is shown of a reading; one that only adds to `before` leaves that standing."""
    problems = [str(problem) for problem in reading.problems]
    if before is None:
        return {"entries": reading.entries, "problems": problems, "newest_at": reading.newest_at}
    return {"problems": list(dict.fromkeys([*(before.problems or ()), *problems]))}


async def _of_what_ran(
    connection: AsyncConnection, ecosystem: Ecosystem, *columns: ColumnElement[Any]
) -> list[tuple[Any, ...]]:
    """The same of sets of what ran: each package with each distribution that it was in, or once where an ecosystem
    tells of all of them alike: of two years thousands of packages are in tens of thousands of sets."""
    in_sets = exists().where(package_set_blocks.c.package_id == packages.c.id)
    query = select(packages.c.id, *columns).where(packages.c.type == ecosystem.package_type.value, in_sets)
    asked = {row[0]: tuple(row)[1:] for row in await connection.execute(query)}
    if not ecosystem.has_releases:
        return [(None, None, *each) for each in asked.values()]
    text = cast(past_images.c.distribution, String).label("text")
    sets: dict[int, set[str | None]] = {}
    for column in (past_contents.c.system_set_id, past_contents.c.other_set_id):
        pairs = select(column, text).join(past_images, past_images.c.id == past_contents.c.image_id).distinct()
        for number, distribution in await connection.execute(pairs.where(column.is_not(None))):
            sets.setdefault(number, set()).add(distribution)
    held: dict[int, set[str | None]] = {}
    for number, several in (await sets_with(connection, asked)).held.items():
        for package in several:
            held.setdefault(package, set()).update(sets.get(number, ()))
    return [(text, None, *asked[package]) for package, texts in held.items() for text in texts]


async def _due_dump(claimed: Claimed) -> DueDump:
    row = claimed.row
    source = DumpSource(CvePublication(row["ecosystem"]), row["place"])
    if row["etag"] is None or row["considered"] is None:
        return DueDump(source)
    mark = DumpMark(row["etag"], row["last_modified"])
    considered, questions = unpacked(row["considered"]), unpacked_questions(row["asked"])
    asked_at = row["checked_at"] if row["asked"] is not None else None
    settled = unpacked_entries(row["settled"])
    last = LastReading(settled, considered.untold, row["newest_at"]) if settled else None
    return DueDump(source, mark, considered, row["reader"] or "", questions, asked_at, last)
