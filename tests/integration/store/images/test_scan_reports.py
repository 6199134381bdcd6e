"""Reports of scanners as rows: by the image that they are about, and who made them."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import func, insert, select

from bot.domain.packages.cves.detected import DetectedVulnerability, Rating
from bot.domain.repositories.repository import Repository
from bot.fleet.verify.reports.rows.scan_reports import reports_about
from bot.images.scan_reports import ReportOrigin, ScanReport
from bot.images.scanners.report import Report
from bot.store.rows.images.gates import let_through
from bot.store.rows.images.scan_reports import scan_report_digests
from bot.store.rows.inventories.inventories import inventories
from tests.integration.store.filling import HOUR, Stores, digest
from tests.integration.store.holding import FIXED as FIXED_PACKAGE
from tests.integration.store.holding import move_image, running

FOUND = DetectedVulnerability("CVE-2026-1", "openssl", "3.0.13-0ubuntu3.5", "3.0.13-0ubuntu3.6", Rating.HIGH, True)


def scan(stores: Stores, *digests: str, document: str = "1", age: timedelta = HOUR) -> ScanReport:
    report = Report((FOUND,), (), stores.clock.now() - age, "shop", frozenset(digests))
    return ScanReport(digest(document), ReportOrigin.FILE, "report.json", report)


async def test_a_report_is_found_by_each_digest_of_its_image(stores: Stores) -> None:
    kept = scan(stores, digest("a"), digest("b"))
    await stores.scan_reports.keep(kept)
    for asked in (digest("a"), digest("b")):
        [found] = await stores.scan_reports.about([asked])
        assert (found.scan, found.kept_at) == (kept, stores.clock.now())
    assert await stores.scan_reports.about([digest("c")]) == []


async def test_a_report_about_several_digests_is_read_once(stores: Stores) -> None:
    await stores.scan_reports.keep(scan(stores, digest("a"), digest("b"), digest("c")))
    async with stores.database.reading() as connection:
        first, second = await reports_about(connection, {digest("a"): [], digest("b"): []})
    assert {first.digest, second.digest} == {digest("a"), digest("b")}
    assert first.report is second.report


async def test_of_each_scanner_and_side_the_newest_alone_is_told(stores: Stores) -> None:
    """A workflow's report hides no operator's about the same image."""
    await stores.listing(Repository("contoso/shop", "main"))
    old, new = scan(stores, digest("a"), age=5 * HOUR), scan(stores, digest("a"), document="2")
    other = replace(scan(stores, digest("a"), document="3"), report=replace(new.report, scanner="Grype"))
    of_workflow = replace(scan(stores, digest("a"), document="4"), repository=1)
    for each in (new, old, other, of_workflow):
        await stores.scan_reports.keep(each)
    async with stores.database.reading() as connection:
        told = await reports_about(connection, {digest("a"): [1]})
    found = [each.report.scan for each in told if each.report is not None]
    assert sorted(each.document for each in found) == sorted(each.document for each in (new, other, of_workflow))


async def test_what_workflows_of_other_repositories_tell_is_not_read(stores: Stores) -> None:
    await stores.listing(Repository("contoso/shop", "main"))
    await stores.scan_reports.keep(replace(scan(stores, digest("a")), repository=1))
    async with stores.database.reading() as connection:
        assert await reports_about(connection, {digest("a"): [2], digest("b"): [1]}) == []


async def test_of_one_side_no_more_scanners_are_read_than_anybody_has(stores: Stores) -> None:
    for number in range(12):
        one = scan(stores, digest("a"), document=str(number), age=number * HOUR)
        await stores.scan_reports.keep(replace(one, report=replace(one.report, scanner=f"Scanner {number}")))
    async with stores.database.reading() as connection:
        told = await reports_about(connection, {digest("a"): []})
    names = {each.report.scan.report.scanner for each in told if each.report is not None}
    assert names == {f"Scanner {number}" for number in range(10)}


async def test_the_last_scan_comes_first_whichever_was_brought_first(stores: Stores) -> None:
    new, old = scan(stores, digest("a")), scan(stores, digest("a"), document="2", age=5 * HOUR)
    await stores.scan_reports.keep(new)
    stores.clock.advance(HOUR)
    await stores.scan_reports.keep(old)
    assert [each.scan for each in await stores.scan_reports.about([digest("a")])] == [new, old]


async def test_the_same_report_again_takes_its_place(stores: Stores) -> None:
    for _ in range(2):
        await stores.scan_reports.keep(scan(stores, digest("a")))
        stores.clock.advance(HOUR)
    assert len(await stores.scan_reports.about([digest("a")])) == 1
    async with stores.database.reading() as connection:
        assert (await connection.execute(select(func.count()).select_from(scan_report_digests))).scalar_one() == 1


async def test_the_same_words_about_another_image_leave_the_first_its_report(stores: Stores) -> None:
    """Scanners that found nothing, and do not name the image, write the same for every one."""
    await stores.scan_reports.keep(scan(stores, digest("a"), digest("b")))
    first = stores.clock.now()
    stores.clock.advance(HOUR)
    await stores.scan_reports.keep(scan(stores, digest("b"), digest("c")))
    [of_first] = await stores.scan_reports.about([digest("a")])
    assert of_first.kept_at == first
    for asked in (digest("b"), digest("c")):
        [found] = await stores.scan_reports.about([asked])
        assert found.kept_at == stores.clock.now()


async def test_a_scan_that_is_said_to_be_in_the_future_hides_no_later_one(stores: Stores) -> None:
    early, late = scan(stores, digest("a"), age=-9000 * HOUR), scan(stores, digest("a"), document="2", age=-HOUR)
    await stores.scan_reports.keep(early)
    assert (await stores.scan_reports.about([digest("a")]))[0].scanned_at == stores.clock.now()
    stores.clock.advance(2 * HOUR)
    await stores.scan_reports.keep(late)
    assert [each.scan for each in await stores.scan_reports.about([digest("a")])] == [late, early]


async def test_what_a_workflow_says_counts_for_its_own_repository_alone(stores: Stores) -> None:
    """Else any repository could call another's image clean."""
    await stores.listing(Repository("contoso/shop", "main"), Repository("contoso/other", "main"))
    said = replace(scan(stores, digest("a")), origin=ReportOrigin.ARTIFACT, repository=1)
    await stores.scan_reports.keep(said)
    assert await stores.scan_reports.about([digest("a")]) == []
    assert await stores.scan_reports.about([digest("a")], repository=2) == []
    [found] = await stores.scan_reports.about([digest("a")], repository=1)
    assert found.scan == said


async def forget(stores: Stores) -> int:
    task = await stores.retention.claim_forgetting()
    assert task is not None
    return (await stores.retention.forget(task, timedelta(days=400)))["reports"]


async def kept_about(stores: Stores, letter: str) -> set[str]:
    return {each.scan.document for each in await stores.scan_reports.about([digest(letter)], repository=1)}


async def test_of_what_the_fleet_shows_the_last_report_of_each_scanner_and_side_stays(stores: Stores) -> None:
    """The same image may be scanned every night; `e` is its index, `d` what one platform shows."""
    await running(stores, FIXED_PACKAGE)
    scans = [
        scan(stores, digest("e"), document="1", age=5 * HOUR),
        scan(stores, digest("e"), document="2"),
        replace(scan(stores, digest("d"), document="3"), repository=1),
        replace(scan(stores, digest("d"), document="4", age=5 * HOUR), repository=1),
    ]
    for each in scans:
        await stores.scan_reports.keep(each)
    stores.clock.advance(timedelta(days=7))
    assert await forget(stores) == 0
    stores.clock.advance(timedelta(days=2))
    assert await forget(stores) == 2
    assert await kept_about(stores, "e") == {digest("2")}
    assert await kept_about(stores, "d") == {digest("3")}


async def test_a_report_about_what_the_fleet_shows_no_longer_goes_after_a_week(stores: Stores) -> None:
    """A repository is built some eighty times a year, each time with a report."""
    await running(stores, FIXED_PACKAGE)
    await stores.scan_reports.keep(scan(stores, digest("7")))
    stores.clock.advance(timedelta(days=7))
    await stores.scan_reports.keep(scan(stores, digest("8"), document="2"))
    stores.clock.advance(timedelta(days=2))
    assert await forget(stores) == 1
    assert await kept_about(stores, "7") == set()
    assert await kept_about(stores, "8") == {digest("2")}


async def test_reports_about_what_came_right_before_stay_since_the_gate_may_compare_with_it(stores: Stores) -> None:
    await running(stores, FIXED_PACKAGE)
    for letter in "ed":
        await stores.scan_reports.keep(scan(stores, digest(letter), document=letter))
    stores.clock.advance(timedelta(days=9))
    await move_image(stores, FIXED_PACKAGE)
    assert await forget(stores) == 0
    assert await kept_about(stores, "e") | await kept_about(stores, "d") == {digest("e"), digest("d")}


async def test_a_report_about_what_is_shown_stays_however_long_that_is(stores: Stores) -> None:
    await running(stores, FIXED_PACKAGE)
    await stores.scan_reports.keep(scan(stores, digest("e")))
    stores.clock.advance(timedelta(days=401))
    assert await forget(stores) == 0
    assert await kept_about(stores, "e") == {digest("1")}


async def test_a_report_about_what_the_gate_let_through_last_stays(stores: Stores) -> None:
    """What is new is told against it, long after the fleet shows another image."""
    await running(stores, FIXED_PACKAGE)
    async with stores.database.transaction() as connection:
        number = await connection.scalar(select(inventories.c.id).where(inventories.c.digest == digest("b")))
        of_platform = {"image_id": 1, "platform": "linux/amd64", "digest": digest("6"), "inventory_id": number}
        await connection.execute(insert(let_through).values(**of_platform))
    for letter in "678":
        await stores.scan_reports.keep(scan(stores, digest(letter), document=letter))
    stores.clock.advance(timedelta(days=9))
    assert await forget(stores) == 2
    assert await kept_about(stores, "6") == {digest("6")}


async def test_reports_are_forgotten_with_the_rest(stores: Stores) -> None:
    await stores.scan_reports.keep(scan(stores, digest("a")))
    stores.clock.advance(timedelta(days=401))
    task = await stores.retention.claim_forgetting()
    assert task is not None
    await stores.retention.forget(task, timedelta(days=400))
    assert await stores.scan_reports.about([digest("a")]) == []
