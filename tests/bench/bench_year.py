"""How large the store of 1,000 repositories is after a year, with images, their packages and all findings."""

import asyncio
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.image import digest_of
from bot.domain.bases.observation import PlatformImage
from bot.domain.evidence import Strength
from bot.domain.images.claims import Claim, Source, TagRule
from bot.domain.images.image import Builder, ProducedImage, SeenImage
from bot.domain.images.standing import Basis, ImageStanding, Publication
from bot.domain.packages.changes import package_changes
from bot.domain.packages.cves.publication import CvePublication, DumpMark
from bot.domain.packages.gate import Excused, Gated, GateMode, GateOutcome
from bot.domain.packages.package import Inventory, Sbom, SbomOrigin
from bot.domain.reference import Base
from bot.domain.repositories.repository import Reading
from bot.domain.repositories.usage import Usage
from bot.domain.rollouts.rebuild import RebuildState
from bot.domain.rollouts.steps import StepState
from bot.domain.rollouts.terms import Step
from bot.fleet.audit.rows import AuditStore
from bot.fleet.audit.tick import AuditOptions, tick
from bot.fleet.verify.attesting.rows import AttestingStore
from bot.fleet.verify.gating.ports import ToldImage
from bot.fleet.verify.gating.rows import GatingStore
from bot.fleet.verify.images.ports import Look
from bot.fleet.verify.images.rows.images import ImagesStore
from bot.fleet.verify.inventory.rows.inventory import InventoryStore
from bot.fleet.verify.inventory.rows.sboms import SbomStore
from bot.fleet.verify.reports.rows.artifacts import ArtifactsStore
from bot.fleet.verify.reports.rows.scan_reports import ScanReportsStore
from bot.fleet.verify.reports.tick import Gathered
from bot.fleet.watch.vulnerabilities.rows.vulnerabilities import VulnerabilitiesStore
from bot.fleet.watch.vulnerabilities.tick import KeptDump
from bot.reconcile.loop import Loop
from bot.store.engine.database import Database, open_database
from bot.store.rows.images.scan_reports import artifact_reads
from bot.store.rows.inventories.inventories import package_changes as changed_packages
from bot.store.rows.repositories.audits import practice_days
from bot.store.rows.rollouts.steps import steps
from bot.store.rows.rollouts.tables import rebuilds
from bot.upstream.osv.addresses import DumpSource
from bot.upstream.osv.dump import DumpReading
from sandbox.programs.postgres import PostgresServer
from tests.bench.bench_audit import repository_files
from tests.bench.bench_store import REPOSITORIES, WEEKS, Fleet
from tests.bench.maintenance import maintain, outside_transactions
from tests.bench.measured import Measured
from tests.bench.year_contents import NOBLE, Contents

AIM_MEGABYTES = 1_000
WEEKS_OF_IMAGES = 3
"""So many at the end: what an image shows and showed right before is kept, all else for eight days, and a week of a
thousand images takes half a minute. Of the weeks before there would be rows in `GROWING` alone."""
WEEKS_OF_BASES = 14
"""So many before those of the images: what moves of bases did to packages is told by what both sides held for a
quarter of a year, and no longer."""
SHARE = 5
"""Every fifth repository has an image that is built, for linux/amd64, and what images add to `OF_IMAGES` is counted
five times."""
OF_IMAGES = (
    *("images", "image_inventories", "inventories", "inventory_layers", "inventory_packages", "layers"),
    *("layer_contents", "packages", "exposures", "sbom_looks", "sboms", "sbom_packages"),
    *("scan_reports", "scan_report_digests", "gates", "let_through", "attestations"),
)
GROWING = {changed_packages.name: WEEKS_OF_BASES + WEEKS_OF_IMAGES, artifact_reads.name: WEEKS_OF_IMAGES}
"""Tables whose rows stay, and for how many weeks they were written: they are counted for each week of the year."""
AMD64 = "linux/amd64"
NIGHTS = 7
"""Each with a scan of every image."""
_LARGEST = 8
"""Tables that are named."""
_DAY = timedelta(days=1)
_ALL = 10_000


@dataclass(frozen=True, slots=True)
class Year:
    """What is in the store at its end, in bytes, and by table; `written` is the part of it that was."""

    whole: int
    written: int
    tables: Mapping[str, int]


def run() -> list[Measured]:
    """Rows: what, measured, aim."""
    return asyncio.run(_run())


async def _run() -> list[Measured]:
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        rows.append(_row("SQLite", await simulated_year(f"sqlite:///{folder}/year.db")))
    async with PostgresServer() as server:
        rows.append(_row("PostgreSQL", await simulated_year(server.create_database())))
    return rows


def _row(engine: str, year: Year) -> Measured:
    largest = sorted(year.tables.items(), key=lambda each: -each[1])[:_LARGEST]
    named = ", ".join(f"{table} {size / 1e6:.0f}" for table, size in largest)
    what = (
        f"a year of {REPOSITORIES:,} repositories with an image each, packages, findings and steps, {engine} "
        f"({year.written / 1e6:.0f} MB written: every {SHARE}th image, in {WEEKS_OF_IMAGES} of {WEEKS} weeks, and "
        f"what is in bases in {WEEKS_OF_BASES + WEEKS_OF_IMAGES})"
    )
    megabytes = year.whole / 1e6
    return Measured(what, f"{megabytes:.0f} MB ({named})", f"under {AIM_MEGABYTES} MB", megabytes < AIM_MEGABYTES)


async def simulated_year(url: str) -> Year:
    """A year as in `bench_store`, at whose end bases are read, and then images built, read, scanned and judged."""
    database = await open_database(url)
    try:
        fleet = PackagedFleet(database)
        await fleet.begin()
        for week in range(WEEKS - WEEKS_OF_IMAGES):
            fleet.reads_bases = week >= WEEKS - WEEKS_OF_IMAGES - WEEKS_OF_BASES
            await fleet.week()
        before = await _sizes(database)
        fleet.has_images = True
        for _ in range(WEEKS_OF_IMAGES):
            await fleet.week()
        sizes = await _sizes(database)
    finally:
        await database.close()
    written = sizes.pop("")
    tables = {name: size + _unwritten(name, before[name], size) for name, size in sizes.items()}
    return Year(written + sum(tables.values()) - sum(sizes.values()), written, tables)


def _unwritten(table: str, before: int, size: int) -> int:
    """What a whole year of all images would add to a table that had `before` bytes without any."""
    if table in OF_IMAGES:
        return (SHARE - 1) * (size - before)
    if table in GROWING:
        return round(size * (WEEKS / GROWING[table] - 1))
    return size * 364 if table == practice_days.name else 0


class PackagedFleet(Fleet):
    """Each repository builds one image, a week and whenever its base moves, and deploys it in two steps."""

    STEPS = (
        Step("staging", "deploy.yml"),
        Step("production", "deploy.yml", inputs=(("environment", "production"),)),
    )

    SHARE = SHARE

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.reads_bases = self.has_images = False
        self._contents = Contents()
        self._stands_on: dict[int, Base] = {}
        self._places: dict[str, int] = {}
        self._digests: dict[str, str] = {}
        self._images: dict[int, SeenImage] = {}

    def _reading(self, number: int, usages: tuple[tuple[Usage, Base], ...], bodies: dict[str, bytes]) -> Reading:
        self._stands_on[number] = usages[0][1]
        files = {path: (self._hex(20), text) for path, text in repository_files(number).items()}
        bodies |= dict(files.values())
        name = f"ghcr.io/contoso/service-{number:04}"
        images = (Claim(name, TagRule("latest"), Source.BUILD),) if number % self.SHARE == 0 else ()
        audited = {path: sha for path, (sha, _) in files.items()}
        return Reading("tree", usages, blobs=tuple(bodies), images=images, audited=audited)

    async def week(self) -> None:
        """PostgreSQL has what was deleted and rewritten in it made free, as its own maintenance does each minute in
        which a fifth of a table changed."""
        await super().week()
        if self._database.engine.dialect.name != "sqlite":
            await maintain(self._database)

    async def _end(self, state: RebuildState, reason: str) -> None:
        await super()._end(state, reason)
        if state.has_ended:
            run = 30_000_000_001
            url = "https://github.example/contoso/service-0001/actions/runs/30000000001"
            ended = {
                "run": 30_000_000_001,
                "url": url,
                "ended_at": self._clock.now(),
                "reason": "the run succeeded",
            }
            async with self._database.transaction() as connection:
                built = update(rebuilds).where(rebuilds.c.built_by.is_(None), rebuilds.c.state == state.value)
                await connection.execute(built.values(built_by=[run], run=run, built_at=self._clock.now()))
                going = update(steps).where(steps.c.state == StepState.PLANNED.value)
                await connection.execute(going.values(state=StepState.SUCCEEDED.value, **ended))

    async def _happens(self) -> None:
        self._note_layers()
        if self.reads_bases:
            await self._read_layers()
            await self._tell()
            await self._compare()
        if self.has_images:
            await self._happens_to_images()

    async def _happens_to_images(self) -> None:
        await self._read_artifacts()
        for every in (1, 2):
            await self._build(every)
        await self._scan_nightly()
        await self._follow_dumps()
        await self._judge()
        if self._weeks == WEEKS:
            await tick(self._stores[AuditStore], AuditOptions(), Loop(self._clock))
            await self._stores[AuditStore].count_day(is_news=True)

    def _note_layers(self) -> None:
        """Where a layer lies tells what is in it, and whose platform's image it is of tells its packages."""
        for base, image in self.shown.items():
            self._digests[image.digest] = str(base)
            self._places |= {layer: place for place, layer in enumerate(image.layers)}

    async def _read_layers(self) -> None:
        for layer in await self._stores.taken(self._stores[InventoryStore].layers([AMD64]), _ALL):
            contents = self._contents.of_layer(self._digest(), self._places.get(layer.digest, 9))
            await self._stores[InventoryStore].save_layer(layer, contents, None)

    async def _tell(self) -> None:
        for each in await self._stores.taken(self._stores[InventoryStore].inventories([AMD64]), _ALL):
            found = self._contents.of_base(self._digests.get(each.digest, "another"))
            await self._stores[InventoryStore].save_inventory(each, Inventory(found, NOBLE))

    async def _compare(self) -> None:
        store = self._stores[InventoryStore]
        for each in await self._stores.taken(store.comparisons, _ALL):
            before, after = [(await store.inventory(number)).packages for number in (each.before, each.after)]
            await store.save_comparison(each, package_changes(before, after), is_complete=True)

    async def _build(self, every: int) -> None:
        """Every such image is built anew, read, asked for SBOMs and scanned."""
        self._clock.advance(_DAY)
        now = self._clock.now()
        due = await self._stores.taken(self._stores[ImagesStore].images, self.REPOSITORIES)
        for image in due:
            if image.id % every == 0:
                await self._stores[ImagesStore].record_look(image, self._look(image), now + _DAY / 2)
            else:
                await self._stores[ImagesStore].record_unmoved([image], now + _DAY / 2)
        await self._read_layers()
        for each in await self._stores.taken(self._stores[InventoryStore].inventories([AMD64]), _ALL):
            number = int(self._digests[each.digest])
            found = self._contents.of_image(number, str(self._stands_on[number]))
            await self._stores[InventoryStore].save_inventory(each, Inventory(found, NOBLE))
            await self._scan(number, each.digest)
        self._clock.advance(_DAY / 2)
        for look in await self._stores.taken(self._stores[SbomStore].looks([AMD64]), _ALL):
            number = int(self._digests[look.place.digest])
            listed = Inventory(self._contents.of_image_now(number, str(self._stands_on[number])), NOBLE)
            sbom = Sbom(self._digest(), SbomOrigin.BUILDKIT, Strength.CLAIMED, "is not signed", listed)
            await self._stores[SbomStore].save_sboms(look, [sbom] if number % 2 else [], None)

    def _look(self, image: ProducedImage) -> Look:
        """It stands on what its base shows, with two layers of its own and a provenance that somebody trusted."""
        now, base = self._clock.now(), self._stands_on[image.repository_id]
        below = self.shown[base]
        own = self._digest(), self._digest()
        self._places |= dict(zip(own, (2, 3), strict=True))
        steps_of = [{"created": now.isoformat(), "created_by": f"RUN {self._hex(150)}"} for _ in range(16)]
        config = json.dumps({"os": "linux", "history": steps_of}).encode()
        layers = [{"digest": each, "size": 9} for each in (*below.layers, *own)]
        manifest = json.dumps({"config": {"digest": digest_of(config)}, "layers": layers}).encode()
        platform = PlatformImage(
            AMD64,
            digest_of(manifest),
            now.isoformat(),
            "noble",
            (*below.layers, *own),
            (*below.diff_ids, self._digest(), self._digest()),
            digest_of(config),
        )
        self._digests[platform.digest] = str(image.repository_id)
        publication = Publication(base, now, self._digest(), AMD64, below.digest)
        standing = ImageStanding(AMD64, Strength.PROVED, Basis.LAYERS, (publication,), len(below.layers))
        workflow = "https://github.com/contoso/service/.github/workflows/build.yml@refs/heads/main"
        builder = Builder(workflow, 2, Strength.PROVED, "signed by GitHub's hosted runners", image.repository)
        fetched = {digest_of(each): each for each in (manifest, config)}
        seen = SeenImage(self._digest(), (platform,), now, {}, image.repository, builder, fetched=fetched)
        self._images[image.repository_id] = seen
        return Look("latest", seen, (standing,))

    async def _scan(self, image: int, digest: str) -> None:
        packages = self._contents.of_image_now(image, str(self._stands_on[image]))
        seen = self._images[image]
        named = (seen.digest, digest, str(seen.platforms[0].config))
        await self._stores[ScanReportsStore].keep(self._contents.report(named, packages, self._clock.now(), image))

    async def _scan_nightly(self) -> None:
        """The last night's image once more, every night of a week."""
        for _ in range(NIGHTS):
            for image, seen in self._images.items():
                await self._scan(image, seen.platforms[0].digest)

    async def _follow_dumps(self) -> None:
        store, now = self._stores[VulnerabilitiesStore], self._clock.now()
        sources = [DumpSource(each, f"/srv/{each}.zip") for each in (CvePublication.UBUNTU, CvePublication.NUGET)]
        await store.follow_dumps(sources)
        wanted = await store.wanted_packages()
        for due in await self._stores.taken(store.dumps, _ALL):
            found = self._contents.records(due.source.ecosystem)
            kept = KeptDump(due.source, DumpMark(self._hex(9)), wanted, DumpReading(found, entries=len(found)))
            await store.keep_dump(kept, now + _DAY)

    async def _judge(self) -> None:
        store, now = self._stores[GatingStore], self._clock.now()
        await store.make_due("mark")
        for due in await self._stores.taken(store.gates, _ALL):
            packages = self._contents.of_image_now(
                due.image.repository_id, str(self._stands_on[due.image.repository_id])
            )
            found = self._contents.detected(packages, 30)
            excused = tuple(Excused(each, "VEX: not affected, code not reachable") for each in found[:3])
            gated = Gated(GateMode.TELL, GateOutcome.PASSED, found[:5], found[5:], excused)
            told = ToldImage(due.image.id, str(due.image.digest), frozenset(), ())
            await store.settle_gate(due, told, gated, "mark", now + _DAY)
        attesting = self._stores[AttestingStore]
        await attesting.make_due()
        for attestation in await self._stores.taken(attesting.attestations, _ALL):
            await attesting.settle_attestation(attestation, now + _DAY, attached=True)

    async def _read_artifacts(self) -> None:
        store = self._stores[ArtifactsStore]
        await store.make_due()
        for item in await self._stores.taken(store.ended, _ALL):
            await store.settle_artifacts(item, Gathered(1))


async def _sizes(database: Database) -> dict[str, int]:
    """Bytes by table with its indexes, and of all under an empty name."""
    async with outside_transactions(database).connect() as connection:
        if connection.dialect.name == "sqlite":
            await connection.exec_driver_sql("ROLLBACK")
            await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            by_table = "SELECT tbl_name, SUM(pgsize) FROM dbstat JOIN sqlite_master USING (name) GROUP BY tbl_name"
            whole = "SELECT '', page_count * page_size FROM pragma_page_count, pragma_page_size"
        else:
            by_table = "SELECT relname, pg_total_relation_size(relid) FROM pg_catalog.pg_statio_user_tables"
            whole = "SELECT '', pg_database_size(current_database())"
        return await _rows(connection, by_table) | await _rows(connection, whole)


async def _rows(connection: AsyncConnection, query: str) -> dict[str, int]:
    rows: list[Any] = list(await connection.exec_driver_sql(query))
    return {name: int(size) for name, size in rows}
