"""What the gate says of images, by what is kept of them: the stage and the rebuilds that it meets."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Table, event, select, update

from bot.domain.failure import Failure
from bot.domain.feeds.advisory import Severity
from bot.domain.images.image import ProducedImage, SeenImage
from bot.domain.packages.changes import package_changes
from bot.domain.packages.cves.detected import DetectedVulnerability, Rating
from bot.domain.packages.cves.moves import WhyOpen
from bot.domain.packages.cves.publication import CvePublication, DumpMark
from bot.domain.packages.cves.vulnerability import Ecosystem, VersionRange, Vulnerability
from bot.domain.packages.gate import (
    Counts,
    Gated,
    GateException,
    GateMode,
    GateOutcome,
    GateRule,
    MatchedRule,
    ReportUse,
)
from bot.domain.packages.ledger.clocks import Station
from bot.domain.packages.package import Package
from bot.domain.reach import PushedTag, Reach
from bot.fleet.verify.gating.judging import Gating
from bot.fleet.verify.gating.ports import GateOptions
from bot.fleet.verify.gating.tick import tick
from bot.fleet.verify.images.ports import Look
from bot.fleet.watch.vulnerabilities.tick import KeptDump
from bot.images.scan_reports import ReportOrigin, ScanReport
from bot.images.scanners.report import Report
from bot.images.vex.statements import Component, Product, VexStatement
from bot.reconcile.loop import Loop
from bot.store.rows.images.gates import gates, let_through
from bot.store.rows.images.scan_reports import scan_reports
from bot.store.rows.inventories.inventories import inventories
from bot.store.rows.inventories.vulnerabilities import dumps
from bot.store.views.images import ImageViewsStore
from bot.upstream.osv.addresses import API, DumpSource
from bot.upstream.osv.dump import DumpReading
from bot.upstream.osv.record import UNNAMED
from bot.views.images.image_pages import WantedImages
from bot.views.images.images import Unfixed
from bot.views.paging import Cut
from tests.integration.store.conftest import NOON
from tests.integration.store.filling import ASPNET, HOUR, Stores, digest
from tests.integration.store.holding import (
    CVE,
    FIXED,
    OPENSSL,
    SOURCE,
    SSL,
    UNFIXED,
    WANTED,
    move_base,
    move_image,
    publish,
    running,
    shows,
)

OPTIONS = GateOptions((MatchedRule(("ghcr.io/contoso/*",), GateRule()),), platforms=frozenset({"linux/amd64"}))
OTHER = Package("deb", "libssl-doc", "1", "all", "openssl", FIXED.version)
ACCEPTED = (GateException("CVE-2026-7", ("*",), "known", NOON + timedelta(days=400)),)
ALL = replace(OPTIONS, rules=(MatchedRule(("*",), GateRule(counts=Counts.ALL)),), mark="all")


async def judged(stores: Stores, options: GateOptions = OPTIONS) -> Gated:
    """What a rebuild meets."""
    gated = await Gating(stores.gating, options, stores.clock).gated(await stores.images.images_of("contoso/shop"))
    assert gated is not None
    return gated


async def kept(stores: Stores, options: GateOptions = OPTIONS) -> tuple[str | None, str | None]:
    """What the stage keeps."""
    await tick(stores.gating, options, Loop(stores.clock))
    async with stores.database.reading() as connection:
        rows = (await connection.execute(select(gates.c.outcome, gates.c.told))).all()
    if not rows:
        return None, None
    [row] = rows
    return row.outcome, row.told


async def test_a_rebuild_that_brings_a_new_high_with_a_fix_is_blocked(stores: Stores) -> None:
    await running(stores, FIXED)
    await publish(stores)
    assert await kept(stores) == ("passed", "nothing that blocks")
    await move_image(stores, SSL)
    gated = await judged(stores)
    assert (gated.outcome, [each.id for each in gated.blocking]) == (GateOutcome.BLOCKED, [CVE])
    assert gated.told == f"{CVE} (HIGH) in libssl3t64 {SSL.version}, fixed in {FIXED.version}"


async def test_a_package_is_rated_by_who_publishes_it_and_not_by_a_score_that_another_gives(stores: Stores) -> None:
    """One row stands for a package of the same name and version, whichever distribution an image is of."""
    debian = DumpSource(CvePublication.DEBIAN, "/srv/debian.zip")
    await running(stores, SSL)
    await stores.vulnerabilities.follow_dumps([SOURCE, debian])
    wanted = replace(WANTED, releases=WANTED.releases | {"Debian:13"})
    for source, name, severity, rated_by, release in (
        (SOURCE, "UBUNTU", Severity.LOW, "Ubuntu", "Ubuntu:24.04"),
        (debian, "DEBIAN", Severity.CRITICAL, "CVSS 3.1", "Debian:13"),
    ):
        await stores.taken(stores.vulnerabilities.dumps)
        affected = (replace(OPENSSL, release=release),)
        record = Vulnerability(f"{name}-{CVE}", (CVE,), "overflow", severity, rated_by, 9.8, affected=affected)
        reading = DumpReading((record,))
        await stores.vulnerabilities.keep_dump(
            KeptDump(source, DumpMark("1"), wanted, reading), stores.clock.now() + HOUR
        )
    assert await kept(stores, ALL) == ("passed", "nothing that blocks")
    page = await stores.ledger.cve(CVE, Cut())
    assert page is not None
    assert (page.cve.severity, page.cve.rated_by, page.cve.score) == ("low", "Ubuntu", 9.8)


async def test_what_is_held_back_is_not_what_the_next_image_is_compared_with(stores: Stores) -> None:
    await running(stores, FIXED)
    await publish(stores)
    await kept(stores)
    await move_image(stores, SSL)
    assert (await judged(stores)).outcome is GateOutcome.BLOCKED
    await move_image(stores, SSL, OTHER, letter="1")
    await publish(stores)
    assert (await judged(stores)).outcome is GateOutcome.BLOCKED
    await move_image(stores, FIXED, OTHER, letter="2")
    assert (await judged(stores)).outcome is GateOutcome.PASSED


async def test_what_the_image_had_when_the_gate_was_switched_on_is_not_new(stores: Stores) -> None:
    await running(stores, SSL)
    await publish(stores)
    assert (await kept(stores))[0] == "passed"
    assert (await kept(stores, ALL))[0] == "blocked"
    await move_image(stores, SSL, OTHER)
    assert (await judged(stores)).outcome is GateOutcome.PASSED


async def test_without_a_look_before_the_image_is_compared_with_what_it_showed_before(stores: Stores) -> None:
    await running(stores, SSL)
    await publish(stores)
    await move_image(stores, SSL, OTHER)
    assert (await judged(stores)).outcome is GateOutcome.PASSED


async def test_what_an_exception_let_through_blocks_once_that_has_ended(stores: Stores) -> None:
    until = stores.clock.now() + timedelta(days=2)
    accepting = replace(OPTIONS, exceptions=(GateException(CVE, ("*",), "not reachable", until),), mark="accepting")
    await running(stores, FIXED)
    await publish(stores)
    await kept(stores)
    await move_image(stores, SSL)
    assert (await judged(stores, accepting)).outcome is GateOutcome.PASSED
    stores.clock.advance(timedelta(days=2))
    await publish(stores)
    assert (await judged(stores, accepting)).outcome is GateOutcome.BLOCKED


async def test_a_dump_in_a_file_is_as_old_as_the_file(stores: Stores) -> None:
    """Whoever brings it may have stopped, and reading the same again tells nothing new."""
    await running(stores, FIXED)
    await publish(stores)
    written = stores.clock.now() - timedelta(days=3)
    for reading in (DumpReading((), (), 1), None):
        stores.clock.advance(6 * HOUR)
        await stores.taken(stores.vulnerabilities.dumps)
        mark = DumpMark.of_file(10, int(written.timestamp()) * 10**9)
        await stores.vulnerabilities.keep_dump(KeptDump(SOURCE, mark, WANTED, reading), stores.clock.now() + HOUR)
        outcome, told = await kept(stores)
        assert outcome == "unknown"
        assert told is not None
        assert told.startswith(f"the CVE data of Ubuntu is of {written:%Y-%m-%d}")
    [bundled] = [each async for each in stores.bundle.dumps()]
    assert bundled.fetched_at == bundled.checked_at == written


async def test_a_dump_in_a_file_of_a_time_that_is_not_yet_is_as_old_as_its_first_reading(stores: Stores) -> None:
    """Else it was as young as the last look at it, for years."""
    await running(stores, FIXED)
    await publish(stores)
    mark = DumpMark.of_file(10, int((stores.clock.now() + timedelta(days=900)).timestamp()) * 10**9)
    for days, reading in ((0, DumpReading((), (), 1)), (1, DumpReading((), (), 1)), (2, None)):
        stores.clock.advance(timedelta(days=days, hours=6))
        await stores.taken(stores.vulnerabilities.dumps)
        await stores.vulnerabilities.keep_dump(KeptDump(SOURCE, mark, WANTED, reading), stores.clock.now() + HOUR)
    outcome, told = await kept(stores)
    assert outcome == "unknown"
    assert told is not None
    assert told.endswith("more than 2 days old")


async def test_what_a_publisher_says_nothing_of_cannot_be_told(stores: Stores) -> None:
    await running(stores, FIXED)
    await publish(stores)
    stores.clock.advance(6 * HOUR)
    await stores.taken(stores.vulnerabilities.dumps)
    wanted = replace(WANTED, untold=frozenset({"Ubuntu:24.04"}))
    due_at = stores.clock.now() + HOUR
    await stores.vulnerabilities.keep_dump(KeptDump(SOURCE, DumpMark("2"), wanted, DumpReading((), (), 1)), due_at)
    assert await kept(stores) == ("unknown", "the CVE data of Ubuntu tells of nothing in Ubuntu:24.04")
    assert "the CVE data of Ubuntu tells of nothing in Ubuntu:24.04" in await stores.ledger.gaps()


async def test_what_a_record_says_that_cannot_be_read_cannot_be_told_of_what_is_new(stores: Stores) -> None:
    await running(stores, OTHER)
    await publish(stores)
    assert await kept(stores) == ("passed", "nothing that blocks")
    stores.clock.advance(6 * HOUR)
    await stores.taken(stores.vulnerabilities.dumps)
    wanted = replace(WANTED, unread=frozenset({("Ubuntu:24.04", "libssl3t64"), UNNAMED}))
    due_at = stores.clock.now() + HOUR
    await stores.vulnerabilities.keep_dump(KeptDump(SOURCE, DumpMark("2"), wanted, DumpReading((), (), 1)), due_at)
    outcome, told = await kept(stores)
    assert outcome == "passed"
    assert (told or "").startswith(
        "nothing that blocks; some CVE data of Ubuntu cannot be read, and what it is about"
    )
    await move_image(stores, OTHER, FIXED)
    line = "CVE data of Ubuntu about libssl3t64 cannot be read (`freshness-bot status` says why)"
    assert await kept(stores) == ("unknown", line)
    assert line in await stores.ledger.gaps()


async def test_an_image_is_judged_again_when_an_exception_ends(stores: Stores) -> None:
    """Else a summary of that morning would still leave out what was accepted until midnight."""
    until = stores.clock.now() + 7 * HOUR
    accepting = replace(ALL, exceptions=(GateException(CVE, ("*",), "not reachable", until),), mark="accepting")
    await running(stores, SSL)
    await publish(stores)
    assert (await kept(stores, accepting))[0] == "passed"
    stores.clock.advance(until - stores.clock.now())
    assert (await kept(stores, accepting))[0] == "blocked"


async def test_what_was_there_before_the_first_that_is_held_back_is_still_compared_with(stores: Stores) -> None:
    await running(stores, FIXED)
    await publish(stores)
    await move_image(stores, SSL)
    for _ in range(2):
        assert (await judged(stores)).is_compared
        stores.clock.advance(HOUR)


async def test_what_the_stage_held_back_first_is_compared_with_what_was_there_before(stores: Stores) -> None:
    await running(stores, FIXED)
    await publish(stores)
    await move_image(stores, SSL)
    assert (await kept(stores))[0] == "blocked"
    assert (await judged(stores)).is_compared


async def test_an_exception_that_a_rebuild_met_first_counts_no_longer_than_it_lasts(stores: Stores) -> None:
    until = stores.clock.now() + timedelta(days=2)
    accepting = replace(OPTIONS, exceptions=(GateException(CVE, ("*",), "not reachable", until),))
    await running(stores, FIXED)
    await publish(stores)
    await move_image(stores, SSL)
    assert (await judged(stores, accepting)).outcome is GateOutcome.PASSED
    stores.clock.advance(timedelta(days=2))
    await publish(stores)
    assert (await judged(stores, accepting)).outcome is GateOutcome.BLOCKED


async def test_packages_that_were_not_read_yet_cannot_be_told_and_are_waited_for(stores: Stores) -> None:
    await running(stores, FIXED)
    await publish(stores)
    await kept(stores)
    await move_image(stores, is_read=False)
    gated = await judged(stores)
    assert (gated.outcome, gated.is_pending) == (GateOutcome.UNKNOWN, True)
    assert gated.told == "the packages of linux/amd64 are not read yet"


async def test_data_that_is_missing_or_old_cannot_tell(stores: Stores) -> None:
    await running(stores, FIXED)
    assert (await judged(stores)).told == "no CVE data of Ubuntu is read (turn on vulnerabilities.ubuntu)"
    await publish(stores)
    assert (await judged(stores)).outcome is GateOutcome.PASSED
    stores.clock.advance(timedelta(days=3))
    assert (await judged(stores)).told == "the CVE data of Ubuntu is of 2026-03-10 18:00 UTC, more than 2 days old"


async def test_data_that_was_not_looked_through_for_a_package_that_is_new_cannot_tell(stores: Stores) -> None:
    await running(stores, FIXED)
    await publish(stores)
    await move_image(stores, FIXED, Package("deb", "zlib1g", "1.3", "amd64", "zlib", "1.3"))
    gated = await judged(stores)
    assert (gated.outcome, gated.is_pending) == (GateOutcome.UNKNOWN, True)
    assert "not looked through yet for 1 package " in gated.told


async def test_a_version_that_an_api_was_not_asked_about_yet_cannot_tell(stores: Stores) -> None:
    """A dump tells of all versions of a package, an API of the one that it is asked about."""
    api = DumpSource(CvePublication.UBUNTU, f"{API}https://api.osv.example")
    await running(stores, FIXED)
    await stores.vulnerabilities.follow_dumps([api])
    await stores.taken(stores.vulnerabilities.dumps)
    asked = await stores.vulnerabilities.questions(Ecosystem.UBUNTU)
    kept = KeptDump(api, DumpMark(), WANTED, DumpReading(()), asked)
    await stores.vulnerabilities.keep_dump(kept, stores.clock.now() + HOUR)
    assert (await judged(stores)).outcome is GateOutcome.PASSED
    await move_image(stores, SSL)
    gated = await judged(stores)
    assert (gated.outcome, gated.is_pending) == (GateOutcome.UNKNOWN, True)
    assert "not looked through yet for 1 package " in gated.told


async def test_a_scanner_that_reports_of_the_digest_adds_or_answers_or_is_missing(stores: Stores) -> None:
    await running(stores, FIXED)
    [image] = await stores.images.images_of("contoso/shop")
    found = DetectedVulnerability("CVE-2026-7", "app", "1", "2", Rating.CRITICAL, True)

    def use(report: ReportUse) -> GateOptions:
        return replace(OPTIONS, rules=(MatchedRule(("*",), GateRule(counts=Counts.ALL), report),))

    assert "no scanner has reported" in (await judged(stores, use(ReportUse.REQUIRE))).told
    assert image.digest is not None
    clean = Report((), created_at=stores.clock.now(), image_digests=frozenset({image.digest}))
    await stores.scan_reports.keep(ScanReport("sha256:1", ReportOrigin.FILE, "clean.json", clean))
    assert (await judged(stores, use(ReportUse.ENOUGH))).outcome is GateOutcome.PASSED
    assert (await judged(stores, use(ReportUse.ADD))).outcome is GateOutcome.UNKNOWN
    stores.clock.advance(HOUR)
    worse = replace(clean, vulnerabilities=(found,), created_at=stores.clock.now())
    await stores.scan_reports.keep(ScanReport("sha256:2", ReportOrigin.FILE, "worse.json", worse))
    for each in ReportUse:
        assert (await judged(stores, use(each))).blocking == (found,)
    stores.clock.advance(timedelta(days=5))
    told = (await judged(stores, replace(use(ReportUse.REQUIRE), exceptions=ACCEPTED))).told
    assert "the scanner's report worse.json is of 2026-03-10 13:00 UTC, more than 2 days old" in told


LIBRARY = DetectedVulnerability("CVE-2026-7", "app", "1", "2", Rating.CRITICAL, True)


async def report_of(stores: Stores, *found: DetectedVulnerability, scanner: str = "Trivy") -> None:
    """A scanner reports of what the image shows now."""
    [image] = await stores.images.images_of("contoso/shop")
    assert image.digest is not None
    said = Report(found, (), stores.clock.now(), "shop", frozenset({image.digest}), scanner)
    document = f"sha256:{scanner}{stores.clock.now():%d%H%M}"
    await stores.scan_reports.keep(ScanReport(document, ReportOrigin.FILE, f"{scanner}.json", said))


async def test_the_first_report_of_a_scanner_makes_nothing_new_that_was_there_unseen(
    stores: Stores,
) -> None:
    await running(stores, FIXED)
    await publish(stores)
    assert (await kept(stores))[0] == "passed"
    await move_image(stores, FIXED, OTHER)
    await report_of(stores, LIBRARY)
    await publish(stores)
    gated = await judged(stores)
    assert (gated.outcome, gated.unsure) == (GateOutcome.PASSED, (LIBRARY,))
    assert "whether CVE-2026-7 (CRITICAL) in app 1, fixed in 2 is new cannot be told" in gated.told
    await move_image(stores, FIXED, OTHER, letter="1")
    worse = replace(LIBRARY, id="CVE-2026-8")
    await report_of(stores, LIBRARY, worse)
    await publish(stores)
    assert (await judged(stores)).blocking == (worse,)


async def test_another_scanner_is_compared_with_itself_alone(stores: Stores) -> None:
    await running(stores, FIXED)
    await publish(stores)
    await report_of(stores)
    await kept(stores)
    await move_image(stores, FIXED, OTHER)
    await report_of(stores, LIBRARY, scanner="Grype")
    await publish(stores)
    assert (await judged(stores)).unsure == (LIBRARY,)


async def test_what_one_of_two_scanners_looked_for_before_is_new(stores: Stores) -> None:
    await running(stores, FIXED)
    await publish(stores)
    await report_of(stores)
    await kept(stores)
    await move_image(stores, FIXED, OTHER)
    await report_of(stores, LIBRARY, scanner="Grype")
    await report_of(stores, LIBRARY)
    await publish(stores)
    assert (await judged(stores)).blocking == (LIBRARY,)


async def test_what_a_scanner_finds_in_a_package_that_was_there_in_that_version_is_not_new(stores: Stores) -> None:
    """It became known since the last scan."""
    await running(stores, FIXED)
    await publish(stores)
    await report_of(stores)
    await kept(stores)
    await move_image(stores, FIXED, OTHER)
    known_since = replace(LIBRARY, package=FIXED.name, installed=str(FIXED.version))
    await report_of(stores, known_since)
    await publish(stores)
    gated = await judged(stores)
    assert (gated.outcome, gated.unsure) == (GateOutcome.PASSED, ())


async def test_a_report_that_cannot_be_read_any_more_cannot_tell_until_it_is_brought_again(stores: Stores) -> None:
    await running(stores, FIXED)
    await publish(stores)
    await report_of(stores, LIBRARY)
    async with stores.database.transaction() as connection:
        await connection.execute(update(scan_reports).values(report=b"spoilt"))
    gated = await judged(stores, ALL)
    assert gated.outcome is GateOutcome.UNKNOWN
    assert gated.told == "a scanner's report (Trivy.json) is damaged in the store; import it again"
    stores.clock.advance(HOUR)
    await report_of(stores, LIBRARY)
    assert (await judged(stores, ALL)).blocking == (LIBRARY,)


async def test_of_one_scanner_the_last_report_counts(stores: Stores) -> None:
    await running(stores, FIXED)
    await publish(stores)
    await report_of(stores, LIBRARY)
    assert (await judged(stores, ALL)).outcome is GateOutcome.BLOCKED
    stores.clock.advance(HOUR)
    await report_of(stores)
    assert (await judged(stores, ALL)).outcome is GateOutcome.PASSED
    await report_of(stores, LIBRARY, scanner="Grype")
    assert (await judged(stores, ALL)).outcome is GateOutcome.BLOCKED


async def test_a_report_about_one_platform_of_an_image_is_heard_at_once(stores: Stores) -> None:
    await running(stores, FIXED)
    await publish(stores)
    assert (await kept(stores, ALL))[0] == "passed"
    stores.clock.advance(HOUR)
    found = DetectedVulnerability("CVE-2026-7", "app", "1", "2", Rating.CRITICAL, True)
    said = Report((found,), image_digests=frozenset({digest("d")}))
    await stores.scan_reports.keep(ScanReport("sha256:1", ReportOrigin.FILE, "report.json", said))
    assert (await kept(stores, ALL))[0] == "blocked"


async def test_of_an_image_without_nuget_packages_nothing_of_dotnet_is_read(stores: Stores) -> None:
    await running(stores, SSL)
    [image] = await stores.images.images_of("contoso/shop")
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        asked.append(statement)

    async with stores.database.reading() as connection:
        readers = connection.engine.sync_engine if hasattr(connection.engine, "sync_engine") else connection.engine
    event.listen(readers, "before_cursor_execute", note)
    try:
        await stores.gating.told_images([image.id])
    finally:
        event.remove(readers, "before_cursor_execute", note)
    assert asked
    assert not any("advisories" in statement for statement in asked)


async def test_a_report_about_the_index_of_the_image_before_is_one_about_that_image(stores: Stores) -> None:
    """A tag is scanned by the digest that it shows, which is the index's."""
    await running(stores, SSL)
    report = Report((), (), stores.clock.now(), "shop", frozenset({digest("e")}))
    await stores.scan_reports.keep(ScanReport(digest("1"), ReportOrigin.FILE, "report.json", report))
    await move_image(stores, SSL, OTHER)
    [image] = await stores.images.images_of("contoso/shop")
    told = (await stores.gating.told_images([image.id]))[image.id]
    assert [each.scan.document for each in told.reports_before] == [digest("1")]
    assert told.reports == ()


async def test_a_report_about_any_index_of_the_image_before_is_one_about_that_image_and_stays(
    stores: Stores,
) -> None:
    """A push of the same platforms gives another index; of one that holds another platform's image, nothing is."""
    await running(stores, SSL)
    for index in "67":
        stores.clock.advance(HOUR)
        [row] = await stores.taken(stores.images.images)
        await stores.images.keep_look(row, Look("latest", SeenImage(digest(index), (shows("d"),)), ()))
    for number, index in enumerate("678"):
        report = Report((), (), stores.clock.now(), "shop", frozenset({digest(index)}))
        await stores.scan_reports.keep(ScanReport(digest(f"{number}"), ReportOrigin.FILE, "report.json", report))
    stores.clock.advance(timedelta(days=30))
    await move_image(stores, SSL, OTHER)
    [image] = await stores.images.images_of("contoso/shop")

    async def before() -> set[str]:
        told = (await stores.gating.told_images([image.id]))[image.id]
        return {each.scan.document for each in told.reports_before}

    assert await before() == {digest("0"), digest("1")}
    task = await stores.retention.claim_forgetting()
    assert task is not None
    await stores.retention.forget(task, timedelta(days=400))
    assert digest("1") in await before()


@pytest.mark.parametrize(
    ("table", "spoilt", "told"),
    [
        (inventories, {"distribution": [7]}, "the packages of linux/amd64 cannot be read: what is stored of them"),
        (dumps, {"considered": b"7"}, "the CVE data of Ubuntu was not looked through yet"),
    ],
    ids=["an inventory", "a dump"],
)
async def test_a_row_that_cannot_be_read_cannot_tell_and_stops_no_other_image(
    stores: Stores, table: Table, spoilt: dict[str, object], told: str
) -> None:
    await running(stores, FIXED)
    await publish(stores)
    async with stores.database.transaction() as connection:
        await connection.execute(update(table).values(**spoilt))
    outcome, words = await kept(stores)
    assert outcome == "unknown"
    assert (words or "").startswith(told)


async def test_switched_off_it_says_nothing_and_asks_nobody(stores: Stores) -> None:
    await running(stores, FIXED)
    await publish(stores)
    await kept(stores)
    off = replace(OPTIONS, rules=(MatchedRule(("*",), GateRule(GateMode.OFF)),))
    assert await kept(stores, off) == (None, None)
    gating = Gating(stores.gating, off, stores.clock)
    assert await gating.gated(await stores.images.images_of("contoso/shop")) is None
    assert gating.unseen((), "why") is None


async def test_a_tick_with_nothing_new_judges_nothing_and_new_data_or_settings_do(stores: Stores) -> None:
    await running(stores, FIXED)
    await publish(stores)

    async def ticked(options: GateOptions = OPTIONS) -> int:
        return (await tick(stores.gating, options, Loop(stores.clock))).judged

    assert [await ticked(), await ticked()] == [1, 0]
    assert await ticked(replace(OPTIONS, mark="other")) == 1
    await publish(stores)
    assert await ticked(replace(OPTIONS, mark="other")) == 1


async def test_an_image_of_which_nothing_is_asked_is_not_judged_at_every_tick(stores: Stores) -> None:
    await running(stores, FIXED)
    elsewhere = replace(OPTIONS, rules=(MatchedRule(("quay.io/*",), GateRule()),))
    judged = [(await tick(stores.gating, elsewhere, Loop(stores.clock))).judged for _ in range(3)]
    assert judged == [1, 0, 0]


async def test_what_was_let_through_last_is_kept_while_it_is_compared_with(stores: Stores) -> None:
    await running(stores, FIXED)
    await publish(stores)
    await kept(stores)
    await move_image(stores, SSL)
    await judged(stores)
    stores.clock.advance(timedelta(days=30))
    task = await stores.retention.claim_forgetting()
    assert task is not None
    await stores.retention.forget(task, timedelta(days=400))
    async with stores.database.reading() as connection:
        assert len((await connection.execute(select(let_through))).all()) == 1


async def test_every_surface_shows_what_the_gate_says_and_what_nobody_has_fixed(stores: Stores) -> None:
    await running(stores, SSL)
    await publish(stores, UNFIXED)
    assert (await kept(stores, ALL))[0] == "passed"
    told = "the gate lets it through: nothing that blocks, 1 vulnerability without a fix"
    [view] = await stores[ImageViewsStore].views()
    page = await stores.image_pages.image(view.image.claim.name, "https://forge.example")
    [row] = (await stores.image_pages.images(WantedImages(), Cut())).images.items
    assert page is not None
    shown = [each.in_words for each in (view.gate, row.gate, page.claims[0].gate) if each is not None]
    assert shown == [told] * 3
    assert (await stores.figures.figures()).gated[GateOutcome.PASSED] == 1
    summary = await stores.summary.summary(stores.clock.now() - timedelta(days=7))
    assert summary.unfixed == (Unfixed(CVE, Rating.HIGH, ("libssl3t64",), 1),)


async def test_a_version_listed_beside_ranges_has_no_fix_on_any_surface(stores: Stores) -> None:
    """Its record names a fix, of versions that a range holds."""
    beside = replace(UNFIXED, ranges=(VersionRange(fixed="1.0-1"),), versions=(str(SSL.version),))
    await running(stores, SSL, base=(SSL,))
    await publish(stores, beside)
    assert (await kept(stores, ALL))[0] == "passed"
    [view] = await stores[ImageViewsStore].views()
    assert view.gate is not None
    assert view.gate.in_words == "the gate lets it through: nothing that blocks, 1 vulnerability without a fix"
    await move_base(stores, SSL, OTHER)
    await stores.assess_all()
    for comparison in await stores.taken(stores.inventory.comparisons):
        await stores.inventory.save_comparison(comparison, package_changes((SSL,), (SSL, OTHER)), is_complete=True)
    [(_, [platform])] = await stores.base_views.changes_of(str(ASPNET))
    assert platform.cves is not None
    assert [each.why for each in platform.cves.still_open or ()] == [WhyOpen.NO_FIX]
    ledger = await stores.ledger.cve(CVE, Cut())
    assert ledger is not None
    [row] = ledger.images.items
    assert (row.waits_at, row.says) == (Station.FIX, "Ubuntu has no fix")


async def test_a_row_that_says_what_no_gate_does_keeps_no_other_from_being_shown(stores: Stores) -> None:
    await running(stores, SSL)
    await publish(stores, UNFIXED)
    await kept(stores, ALL)
    async with stores.database.transaction() as connection:
        await connection.execute(update(gates).values(outcome="odd"))
    [view] = await stores[ImageViewsStore].views()
    assert view.gate is None
    assert (await stores.image_pages.images(WantedImages(), Cut())).images.items
    assert set((await stores.figures.figures()).gated.values()) <= {0}


class Beside:
    """The registry, beside whose image somebody trusted may sign statements later."""

    def __init__(self) -> None:
        self.said: list[VexStatement] = []
        self.times = 0

    async def signed_statements(
        self, asked: Sequence[tuple[ProducedImage, Collection[str]]]
    ) -> Mapping[int, Sequence[VexStatement] | Failure]:
        self.times += 1
        return {image.id: self.said for image, _ in asked}


@pytest.mark.parametrize("is_told", [False, True], ids=["looked for", "told by the registry"])
async def test_a_document_that_comes_after_the_judgement_counts_soon(stores: Stores, is_told: bool) -> None:
    await running(stores, SSL)
    await publish(stores)
    beside = Beside()

    async def outcomes() -> list[str | None]:
        await tick(stores.gating, ALL, Loop(stores.clock), beside)
        async with stores.database.reading() as connection:
            return list((await connection.scalars(select(gates.c.outcome))).all())

    assert await outcomes() == ["blocked"]
    beside.said = [VexStatement(frozenset({CVE}), (Product(Component(f"pkg:deb/ubuntu/{SSL.name}")),), "fixed")]
    assert await outcomes() == ["blocked"]
    assert beside.times == 1
    if is_told:
        await stores.events.take("registry", "push-1", Reach(pushed=(PushedTag("contoso/shop", "sha256-1.att"),)))
    else:
        stores.clock.advance(timedelta(minutes=15))
    assert await outcomes() == ["passed"]
