"""Bundles out of one store and into another."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from bot.commands.service.bundle import Fate, ImportedBundle, export_bundle, import_bundle
from bot.commands.service.doctor import feed_checks
from bot.domain.failure import Failure
from bot.domain.feeds.advisory import Severity
from bot.domain.feeds.document import FeedKind, FeedSource, StoredDocument
from bot.domain.packages.changes import package_changes
from bot.domain.packages.cves.publication import CvePublication, DumpMark
from bot.domain.packages.cves.vulnerability import AffectedPackage, VersionRange, Vulnerability
from bot.domain.packages.ledger.clocks import Station
from bot.domain.packages.package import Package
from bot.fleet.watch.feeds.tick import FeedReading
from bot.fleet.watch.vulnerabilities.tick import READER, KeptDump
from bot.settings import Settings
from bot.store.rows.bases.tables import documents
from bot.upstream.bundle.archive import BundledDump, BundledRecord, BundleWriter, FixSeen, bundle_writer
from bot.upstream.osv.addresses import API, DumpSource
from bot.upstream.osv.dump import DumpReading
from bot.upstream.osv.record import WantedPackages
from bot.views.doctor import Health
from bot.views.paging import Cut
from tests.integration.store.filling import HOUR, Stores
from tests.integration.store.holding import FIXED, SSL, move_base, running
from tests.integration.store.moving import opened
from tests.migrated import new_sqlite

DAY = timedelta(days=1)
INDEX = FeedSource(FeedKind.DOTNET_INDEX, "https://feeds.example/index.json")
CHANNEL = FeedSource(FeedKind.DOTNET_RELEASES, "https://feeds.example/10.0.json")
UBUNTU = DumpSource(CvePublication.UBUNTU, "https://osv.example/Ubuntu/all.zip")
OPENSSL = AffectedPackage("deb", "openssl", "Ubuntu:24.04", (VersionRange(fixed="3.0.13-0ubuntu3.6"),))
NOTICE = Vulnerability("USN-1-1", ("CVE-2026-1001",), "overflow", Severity.HIGH, "Ubuntu", affected=(OPENSSL,))
EMPTY = b'{"releases-index": []}'


def settings(url: str, *, offline: bool = True, key: Path | None = None, ubuntu: object = None) -> Settings:
    feeds = {"dotnet_releases": {"url": INDEX.url}, "offline": offline, "bundle_key": key}
    data = {"store": {"url": url}, "feeds": feeds, "vulnerabilities": {"ubuntu": ubuntu or {"url": UBUNTU.place}}}
    return Settings.model_validate(data)


async def follows(stores: Stores, body: bytes = EMPTY) -> None:
    """The index was read two days ago, confirmed yesterday, and the dump says that OpenSSL has a fix."""
    await running(stores, SSL)
    await stores.feeds.follow_feeds([INDEX])
    await stores.documents(frozenset({INDEX.kind}), 10)
    now = stores.clock.now()
    document = StoredDocument(INDEX.url, '"1"', None, body, now - 2 * DAY, now - DAY, "1")
    await stores.feeds.keep_feed(FeedReading(INDEX, document, now + HOUR))
    await stores.vulnerabilities.follow_dumps([UBUNTU])
    await stores.taken(stores.vulnerabilities.dumps)
    wanted = await stores.vulnerabilities.wanted_packages()
    kept = KeptDump(UBUNTU, DumpMark('"v1"'), wanted, DumpReading((NOTICE,), (), 9))
    await stores.vulnerabilities.keep_dump(kept, now + HOUR)


async def brought(url: str, file: Path, stores: Stores, **wanted: object) -> ImportedBundle:
    return await import_bundle(settings(url, **wanted), file, stores.clock)  # type: ignore[arg-type]


@contextmanager
def zipped(file: Path) -> Iterator[BundleWriter]:
    with file.open("wb") as opened:
        writer = bundle_writer(opened)
        with writer.archive:
            yield writer
            writer.finish(None)


def fates(imported: ImportedBundle) -> dict[str, Fate]:
    return {each.name: each.fate for each in imported.parts}


async def test_it_is_the_same_after_a_journey_through_another_database(
    stores: Stores, url: str, tmp_path: Path
) -> None:
    """So it has the same documents, records and ages, and the same bytes from either database."""
    await follows(stores)
    first, second = tmp_path / "first.bundle", tmp_path / "second.bundle"
    await export_bundle(settings(url), first, None, stores.clock)
    elsewhere = new_sqlite(tmp_path / "elsewhere.db")
    stores.clock.advance(7 * DAY)
    imported = await brought(elsewhere, first, stores)
    assert fates(imported) == {INDEX.url: Fate.IMPORTED, "vulnerabilities of Ubuntu": Fate.IMPORTED}
    await export_bundle(settings(elsewhere), second, None, stores.clock)
    assert first.read_bytes() == second.read_bytes()


async def test_what_it_tells_of_packages_here_is_known_with_its_age(stores: Stores, tmp_path: Path) -> None:
    await running(stores, SSL, base=(SSL,))
    await stores.vulnerabilities.follow_dumps([UBUNTU])
    seen, wanted = stores.clock.now() - 9 * DAY, await stores.vulnerabilities.wanted_packages()
    record = BundledRecord(NOTICE, seen, (FixSeen("Ubuntu:24.04", "openssl", seen + DAY),))
    dump = BundledDump(UBUNTU, DumpMark('"v1"'), wanted, READER, 9, seen, seen + 2 * DAY, (record,))
    assert (await stores.bundle.bring([], [dump], ())).publications == {CvePublication.UBUNTU}
    page = await stores.ledger.cve("CVE-2026-1001", Cut())
    assert page is not None
    [row] = page.images.items
    assert next(clock.at for clock in row.clocks if clock.station is Station.FIX) == seen + DAY
    [kept] = [each async for each in stores.bundle.dumps()]
    assert (kept.fetched_at, kept.checked_at, kept.records) == (seen, seen + 2 * DAY, (record,))


async def test_an_open_pull_request_tells_of_cves_once_a_bundle_was_looked_through_for_what_it_brings(
    stores: Stores,
) -> None:
    await running(stores, SSL, base=(SSL,))
    await move_base(stores, FIXED)
    await stores.assess_all()
    for comparison in await stores.taken(stores.inventory.comparisons):
        await stores.inventory.save_comparison(comparison, package_changes((SSL,), (FIXED,)), is_complete=True)
    await stores.plan_all()
    await opened(stores)
    await stores.vulnerabilities.follow_dumps([UBUNTU])
    assert await stores.jobs() == []
    now, wanted = stores.clock.now(), await stores.vulnerabilities.wanted_packages()
    dump = BundledDump(UBUNTU, DumpMark('"v1"'), wanted, READER, 9, now, now, ())
    await stores.bundle.bring([], [dump], ())
    assert await stores.jobs() != []


async def test_the_doctor_asks_for_a_newer_bundle_where_nothing_else_is_asked(stores: Stores, url: str) -> None:
    offline, other, kept = settings(url), settings(url, offline=False), (str(INDEX.kind), "osv-ubuntu")
    for each in await feed_checks(stores, offline, stores.clock):
        assert (each.verdict, each.way_out) == (Health.UNKNOWN, "import a bundle that has it")
    await follows(stores)
    stores.clock.advance(7 * DAY)
    told = {each.subject: each for each in await feed_checks(stores, offline, stores.clock)}
    assert {(told[name].verdict, told[name].way_out) for name in kept} == {(Health.NOTE, "import a newer bundle")}
    told = {each.subject: each for each in await feed_checks(stores, other, stores.clock)}
    assert {told[name].verdict for name in kept} == {Health.WRONG}


async def test_a_fix_that_was_seen_earlier_elsewhere_is_known_since_then(stores: Stores) -> None:
    await follows(stores)
    stores.clock.advance(DAY)
    now = stores.clock.now()
    told = replace(NOTICE, title="overflow of a buffer")
    record = BundledRecord(told, now, (FixSeen("Ubuntu:24.04", "openssl", now - 9 * DAY),))
    wanted = await stores.vulnerabilities.wanted_packages()
    dump = BundledDump(UBUNTU, DumpMark('"v2"'), wanted, READER, 9, now, now, (record,))
    await stores.bundle.bring([], [dump], ())
    [kept] = [each async for each in stores.bundle.dumps()]
    assert kept.records == (replace(record, seen_at=now - DAY),)


async def test_an_older_copy_replaces_no_newer_one(stores: Stores, url: str, tmp_path: Path) -> None:
    await follows(stores)
    file = tmp_path / "feeds.bundle"
    await export_bundle(settings(url), file, None, stores.clock)
    stores.clock.advance(DAY)
    await stores.documents(frozenset({INDEX.kind}), 10)
    now = stores.clock.now()
    newer = StoredDocument(INDEX.url, '"2"', None, EMPTY + b" ", now, now, "1")
    await stores.feeds.keep_feed(FeedReading(INDEX, newer, now + HOUR))
    await stores.taken(stores.vulnerabilities.dumps)
    wanted = await stores.vulnerabilities.wanted_packages()
    kept = KeptDump(UBUNTU, DumpMark('"v2"'), wanted, DumpReading((), (), 9))
    await stores.vulnerabilities.keep_dump(kept, now + HOUR)
    assert set(fates(await brought(url, file, stores)).values()) == {Fate.KNOWN}
    known = await stores.bundle.document(INDEX.url)
    assert known is not None
    assert known.document == replace(newer, reader="")
    [dump] = [each async for each in stores.bundle.dumps()]
    assert (dump.records, dump.checked_at) == ((), now)


async def test_an_older_copy_is_not_even_read_and_leads_to_nothing(
    stores: Stores, url: str, tmp_path: Path
) -> None:
    await follows(stores, b"not json")
    file = tmp_path / "feeds.bundle"
    await export_bundle(settings(url), file, None, stores.clock)
    assert set(fates(await brought(url, file, stores)).values()) == {Fate.KNOWN}


async def test_a_document_of_another_kind_is_not_taken_for_one_that_is_known(stores: Stores) -> None:
    await follows(stores)
    now = stores.clock.now()
    other = FeedSource(FeedKind.MSRC_UPDATES, INDEX.url)
    reading = FeedReading(other, StoredDocument(INDEX.url, None, None, b"{}", now, now), now)
    assert not (await stores.bundle.bring([reading], [], ())).documents
    known = await stores.bundle.document(INDEX.url)
    assert known is not None
    assert known.source == INDEX


async def test_a_document_that_is_of_another_kind_here_is_said_to_be_that(
    stores: Stores, url: str, tmp_path: Path
) -> None:
    await follows(stores)
    file = tmp_path / "feeds.bundle"
    await export_bundle(settings(url), file, None, stores.clock)
    values = {"kind": FeedKind.MSRC_UPDATES.value, "checked_at": stores.clock.now() - 9 * DAY}
    async with stores.database.transaction() as connection:
        await connection.execute(update(documents).values(**values))
    assert fates(await brought(url, file, stores))[INDEX.url] is Fate.OTHER_KIND


async def test_documents_that_lead_to_the_same_make_it_due_when_the_first_was_checked(stores: Stores) -> None:
    now = stores.clock.now()
    readings = [
        FeedReading(source, StoredDocument(source.url, None, None, EMPTY, at, at), now, leads_to=(CHANNEL,))
        for source, at in ((INDEX, now - DAY), (replace(INDEX, url=f"{INDEX.url}?2"), now - 2 * DAY))
    ]
    brought = await stores.bundle.bring(readings, [], ())
    assert brought.documents == {reading.source.url for reading in readings}
    async with stores.database.reading() as connection:
        due = await connection.scalar(select(documents.c.due_at).where(documents.c.url == CHANNEL.url))
    assert due == now - 2 * DAY


@pytest.mark.parametrize(
    ("considered", "names", "releases"),
    [
        (WantedPackages(frozenset({"Ubuntu:24.04"}), frozenset({"openssl"})), 0, ()),
        (WantedPackages(frozenset({"Ubuntu:24.04"}), frozenset({"zlib"})), 1, ()),
        (WantedPackages(frozenset({"Ubuntu:22.04"}), frozenset({"openssl"})), 0, ("Ubuntu:24.04",)),
    ],
)
async def test_what_nobody_looked_for_there_is_told(
    stores: Stores, url: str, tmp_path: Path, considered: WantedPackages, names: int, releases: tuple[str, ...]
) -> None:
    """Names that only images of other publishers have are not asked of Ubuntu."""
    file = tmp_path / "feeds.bundle"
    at = stores.clock.now()
    dump = BundledDump(UBUNTU, DumpMark('"v1"'), considered, READER, 9, at, at, ())
    with zipped(file) as writer:
        writer.add_dump(dump)
    await running(stores, SSL, Package("apk", "musl", "1.2"))
    [part] = (await brought(url, file, stores)).parts
    assert (part.fate, part.not_considered, part.releases) == (Fate.IMPORTED, names, releases)
    assert part.is_whole is (not names and not releases)


async def test_what_an_api_said_of_the_versions_there_is_not_all_of_what_is_here(
    stores: Stores, url: str, tmp_path: Path
) -> None:
    file, at = tmp_path / "feeds.bundle", stores.clock.now()
    asked = DumpSource(CvePublication.UBUNTU, f"{API}https://api.osv.example")
    wanted = WantedPackages(frozenset({"Ubuntu:24.04"}), frozenset({"openssl"}))
    with zipped(file) as writer:
        writer.add_dump(BundledDump(asked, DumpMark(), wanted, READER, 9, at, at, ()))
    await running(stores, SSL)
    [part] = (await brought(url, file, stores)).parts
    assert (part.fate, part.versions_there, part.is_whole) == (Fate.IMPORTED, True, False)


async def test_nothing_is_brought_where_one_document_cannot_be_read(
    stores: Stores, url: str, tmp_path: Path
) -> None:
    await follows(stores, b"not json")
    file = tmp_path / "feeds.bundle"
    await export_bundle(settings(url), file, None, stores.clock)
    elsewhere = new_sqlite(tmp_path / "elsewhere.db")
    with pytest.raises(Failure, match="nothing of it was imported"):
        await brought(elsewhere, file, stores)
    with pytest.raises(Failure, match="nothing is kept"):
        await export_bundle(settings(elsewhere), tmp_path / "none.bundle", None, stores.clock)
    assert not (tmp_path / "none.bundle").exists()


async def test_what_is_not_followed_or_read_from_a_file_here_is_left_alone(
    stores: Stores, url: str, tmp_path: Path
) -> None:
    await follows(stores)
    file = tmp_path / "feeds.bundle"
    await export_bundle(settings(url), file, None, stores.clock)
    elsewhere = new_sqlite(tmp_path / "elsewhere.db")
    data = settings(elsewhere, offline=False, ubuntu={"file": "/data/ubuntu.zip"})
    other = {"url": "https://other.example/index.json"}
    data = Settings.model_validate(
        {**data.model_dump(exclude_unset=True), "feeds": {"dotnet_releases": other, "offline": False}}
    )
    imported = await import_bundle(data, file, stores.clock)
    assert fates(imported) == {INDEX.url: Fate.NOT_FOLLOWED, "vulnerabilities of Ubuntu": Fate.FROM_FILE}


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    """A private key and its public one, as OpenSSL makes them."""
    private, public = tmp_path / "key.pem", tmp_path / "key.pub"
    made: list[str | Path] = [
        "openssl",
        "genpkey",
        "-algorithm",
        "EC",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-out",
        private,
    ]
    subprocess.run(made, check=True, capture_output=True)
    subprocess.run(["openssl", "pkey", "-in", private, "-pubout", "-out", public], check=True, capture_output=True)
    private.chmod(0o600)
    return private, public


async def test_where_a_key_is_named_only_what_it_signed_is_imported(
    stores: Stores, url: str, tmp_path: Path, keys: tuple[Path, Path]
) -> None:
    private, public = keys
    await follows(stores)
    plain, signed, again = (tmp_path / name for name in ("plain.bundle", "signed.bundle", "again.bundle"))
    await export_bundle(settings(url), plain, None, stores.clock)
    await export_bundle(settings(url), signed, private, stores.clock)
    await export_bundle(settings(url), again, private, stores.clock)
    assert signed.read_bytes() == again.read_bytes()
    elsewhere = new_sqlite(tmp_path / "elsewhere.db")
    with pytest.raises(Failure, match="is not signed, as"):
        await brought(elsewhere, plain, stores, key=public)
    other = tmp_path / "other.pem"
    made: list[str | Path] = [
        "openssl",
        "genpkey",
        "-algorithm",
        "EC",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-out",
        other,
    ]
    subprocess.run(made, check=True, capture_output=True)
    other.chmod(0o600)
    await export_bundle(settings(url), plain, other, stores.clock)
    with pytest.raises(Failure, match="is not signed by"):
        await brought(elsewhere, plain, stores, key=public)
    imported = await brought(elsewhere, signed, stores, key=public)
    assert imported.signature == f"signed by {public}"
    assert Fate.IMPORTED in fates(imported).values()


async def test_a_reader_of_kept_dumps_holds_no_connection_while_it_writes_them(stores: Stores) -> None:
    await stores.vulnerabilities.follow_dumps([UBUNTU])
    seen, wanted = stores.clock.now(), await stores.vulnerabilities.wanted_packages()
    dump = BundledDump(UBUNTU, DumpMark('"v1"'), wanted, READER, 9, seen, seen, ())
    await stores.bundle.bring([], [dump], ())
    pool = stores.database._readers.pool
    async for _ in stores.bundle.dumps():
        assert pool.checkedout() == 0  # type: ignore[attr-defined]
