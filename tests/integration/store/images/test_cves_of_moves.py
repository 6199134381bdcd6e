"""Which CVEs a move of a base fixed, and which are still open: in history, on pages, in what the bot writes."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from bot.domain.bases.observation import Sight
from bot.domain.evidence import Strength
from bot.domain.feeds.advisory import Advisory, Evidence, Severity
from bot.domain.feeds.document import FeedKind, FeedSource, StoredDocument
from bot.domain.packages.changes import PlatformChanges, package_changes
from bot.domain.packages.cves.moves import CvesMoved, WhyOpen
from bot.domain.packages.cves.publication import DumpMark
from bot.domain.packages.cves.vulnerability import AffectedPackage, VersionRange, Vulnerability
from bot.domain.packages.package import Distribution, Inventory, Package, Sbom, SbomOrigin
from bot.fleet.watch.feeds.tick import FeedReading
from bot.fleet.watch.registry.ports import Sighting
from bot.fleet.watch.vulnerabilities.tick import KeptDump
from bot.store.pages.ledger.cves_of_moves import CvesOfMoves
from bot.store.rows.bases.tables import bases, changes
from bot.store.rows.inventories import kept_data
from bot.store.rows.inventories.inventories import inventories
from bot.upstream.osv.dump import DumpReading
from tests.integration.store.conftest import ON_BOTH
from tests.integration.store.filling import ASPNET, HOUR, Stores, digest
from tests.integration.store.holding import (
    CVE,
    FIXED,
    NOBLE,
    OPENSSL,
    SOURCE,
    SSL,
    move_base,
    publish,
    running,
    shows,
    told,
)
from tests.integration.store.moving import opened
from tests.integration.store.statements import statements

GLIBC = Package("deb", "libc6", "2.39-0ubuntu8.4", "amd64", "glibc", "2.39-0ubuntu8.4")
OPEN = "CVE-2026-2002"


async def moved(stores: Stores, *after: Package, before: tuple[Package, ...] = (SSL, GLIBC)) -> None:
    await running(stores, *before, base=before)
    await move_base(stores, *(after or (FIXED, GLIBC)))
    await compared(stores, before, after or (FIXED, GLIBC))


async def moved_again(stores: Stores, letter: str, now_in_it: Package) -> None:
    """The base moves once more, to a digest with this package in the place of `GLIBC`."""
    [due] = await stores.bases()
    now = stores.clock.now()
    seen = (await stores.base_views.observations_of(str(ASPNET)))[ASPNET][-1]
    seen = replace(seen, at=now, digest=digest(letter), platforms=(shows(letter),))
    await stores.watch.record([Sighting(due.id, Sight.MOVED, seen, now + HOUR)], {})
    await told(stores, {letter: (FIXED, now_in_it)})
    await compared(stores, (FIXED, GLIBC), (FIXED, now_in_it))


async def compared(stores: Stores, before: tuple[Package, ...], after: tuple[Package, ...]) -> None:
    await stores.assess_all()
    for comparison in await stores.taken(stores.inventory.comparisons):
        await stores.inventory.save_comparison(comparison, package_changes(before, after), is_complete=True)


async def ubuntu_says(
    stores: Stores,
    *records: tuple[str, AffectedPackage],
    severity: Severity | None = None,
    after: timedelta = 6 * HOUR,
) -> None:
    await stores.vulnerabilities.follow_dumps([SOURCE])
    stores.clock.advance(after)
    await stores.taken(stores.vulnerabilities.dumps)
    found = tuple(
        Vulnerability(f"UBUNTU-{cve}", (cve,), severity=severity, affected=(each,)) for cve, each in records
    )
    wanted = await stores.vulnerabilities.wanted_packages()
    kept = KeptDump(SOURCE, DumpMark("1"), wanted, DumpReading(found))
    await stores.vulnerabilities.keep_dump(kept, stores.clock.now() + HOUR)


async def microsoft_says(stores: Stores, cve: str, fixed_in: str) -> None:
    """A feed of .NET brings this advisory, beside the index of all releases."""
    now = stores.clock.now()
    index = FeedSource(FeedKind.DOTNET_INDEX, "https://feeds.example/index.json")
    await stores.feeds.follow_feeds([index])
    await stores.taken(stores.feeds.documents(frozenset({FeedKind.DOTNET_INDEX})))
    document = StoredDocument(index.url, None, None, b"{}", now, now)
    evidence = (Evidence("dotnet", "10.0.5", now),)
    said = Advisory(cve, families=frozenset({"runtime"}), fixed_versions=(fixed_in,), evidence=evidence)
    await stores.feeds.keep_feed(FeedReading(index, document, now + HOUR, advisories=(said,)))


def glibc(fixed: str = "") -> AffectedPackage:
    return AffectedPackage("deb", "glibc", "Ubuntu:24.04", (VersionRange(fixed=fixed),))


async def shown(stores: Stores, change: int = -1) -> CvesMoved:
    found = await stores.base_views.changes_of(str(ASPNET))
    [platform] = found[change][1]
    assert platform.cves is not None
    return platform.cves


def named(moved: CvesMoved) -> tuple[list[str] | None, list[tuple[str, Any]] | None]:
    """The CVEs that were fixed, and those still open with why."""
    fixed = None if moved.fixed is None else [each.cve for each in moved.fixed]
    return fixed, None if moved.still_open is None else [(each.cve, each.why) for each in moved.still_open]


async def test_a_move_tells_what_it_fixed_and_what_nobody_has_fixed(stores: Stores) -> None:
    await moved(stores)
    await ubuntu_says(stores, (CVE, OPENSSL), (OPEN, glibc()))
    assert named(await shown(stores)) == ([CVE], [(OPEN, WhyOpen.NO_FIX)])
    page = await stores.base_pages.base(str(ASPNET))
    assert page is not None
    assert page.changes[0].cves_told == "1 fixed (1 not rated); 1 still open (1 not rated): no fix yet"


async def test_a_fix_that_the_base_does_not_have_yet_is_told_with_its_version(stores: Stores) -> None:
    await moved(stores)
    await ubuntu_says(stores, (OPEN, glibc("2.39-0ubuntu8.5")))
    [still_open] = (await shown(stores)).still_open or ()
    assert (still_open.why, still_open.packages[0].fixed_in) == (WhyOpen.NOT_REBUILT, "2.39-0ubuntu8.5")


async def test_what_the_next_move_fixes_is_nothing_that_the_base_awaits(stores: Stores) -> None:
    newer = replace(GLIBC, version="2.39-0ubuntu8.5", source_version="2.39-0ubuntu8.5")
    await moved(stores)
    await ubuntu_says(stores, (OPEN, glibc("2.39-0ubuntu8.5")))
    await moved_again(stores, "f", newer)
    assert named(await shown(stores, 0)) == ([], [(OPEN, WhyOpen.NOT_IN_IT)])
    assert named(await shown(stores, 1)) == ([OPEN], [])


async def test_without_cve_data_nothing_is_known_rather_than_none(stores: Stores) -> None:
    await moved(stores)
    found = await shown(stores)
    assert (found.fixed, found.still_open) == (None, None)
    assert found.gaps == ("no CVE data of Ubuntu is read (turn on vulnerabilities.ubuntu)",)


async def test_old_cve_data_tells_what_it_has_and_that_it_is_old(stores: Stores) -> None:
    await moved(stores)
    await ubuntu_says(stores, (OPEN, glibc()))
    stores.clock.advance(timedelta(days=3))
    found = await shown(stores)
    assert named(found) == (None, [(OPEN, WhyOpen.NO_FIX)])
    assert found.gaps == ("the CVE data of Ubuntu is of 2026-03-10 19:00 UTC, more than 2 days old",)
    stores.clock.advance(timedelta(days=1))
    assert await shown(stores) == found, "a pull request that tells of it is not written anew each day"


async def test_an_image_that_was_not_read_yet_is_not_known(stores: Stores) -> None:
    await running(stores, SSL, base=(SSL,))
    await publish(stores)
    await move_base(stores)
    await stores.assess_all()
    found = await shown(stores)
    assert (found.fixed, found.still_open, found.gaps) == (
        None,
        None,
        ("the packages of linux/amd64 are not read yet",),
    )


async def test_a_platform_that_nobody_reads_is_not_spoken_of(stores: Stores) -> None:
    await moved(stores)
    await ubuntu_says(stores, (CVE, OPENSSL))
    async with stores.database.reading() as connection:
        [change] = (await connection.execute(select(changes.c.id))).scalars()
        for platforms, asked in ((["linux/arm64"], False), (["linux/amd64"], True)):
            cves = CvesOfMoves(stores.clock, platforms=platforms)
            several = await cves.over(connection, {"all": [change]})
            [beside] = (await cves.beside(connection, {change: [PlatformChanges("linux/amd64", ())]}))[change]
            assert (bool(several["all"]), beside.cves is not None) == (asked, asked)


async def test_nothing_is_fixed_by_a_move_to_a_distribution_whose_data_is_not_read(stores: Stores) -> None:
    await running(stores, SSL, base=(SSL,))
    await publish(stores)
    await move_base(stores, FIXED, distribution=Distribution("debian", "12"))
    await compared(stores, (SSL,), (FIXED,))
    found = await shown(stores)
    assert (found.fixed, found.still_open) == (None, None)


async def test_an_image_of_which_not_all_was_read_is_looked_at_anew(stores: Stores) -> None:
    await running(stores, SSL, base=(SSL,))
    await move_base(stores)
    await told(stores, {"c": (FIXED,)}, problems=("a layer cannot be read",))
    await compared(stores, (SSL,), (FIXED,))
    await ubuntu_says(stores, (CVE, OPENSSL))
    assert (await shown(stores)).fixed is None
    async with stores.database.transaction() as connection:
        await connection.execute(
            update(inventories).where(inventories.c.digest == digest("c")).values(problems=[], is_complete=True)
        )
    assert named(await shown(stores)) == ([CVE], [])


async def test_a_claimed_sbom_proves_no_fix_and_one_that_is_proved_later_does(stores: Stores) -> None:
    """What was told of the image before is not kept at hand: the same CVE data and packages tell more."""
    await running(stores, SSL, base=(SSL,))
    await move_base(stores)
    await told(stores, {"c": ()}, problems=("a layer cannot be read",))
    await compared(stores, (SSL,), (FIXED,))
    await ubuntu_says(stores, (CVE, OPENSSL))
    async with stores.database.reading() as connection:
        number = await connection.scalar(select(inventories.c.id).where(inventories.c.digest == digest("c")))
    assert number is not None
    for strength, fixed in ((Strength.CLAIMED, None), (Strength.PROVED, [CVE])):
        listed = Sbom(digest("1"), SbomOrigin.FILE, strength, "", Inventory((FIXED,), NOBLE))
        await stores.sboms.import_sbom(number, listed)
        assert named(await shown(stores))[0] == fixed


async def test_a_fix_that_a_copy_lacks_is_not_said_to_await_its_rebuild(stores: Stores) -> None:
    """Whoever fills the mirror is to copy what was published; no base is to be rebuilt."""
    await moved(stores)
    await ubuntu_says(stores, (OPEN, glibc("2.39-0ubuntu8.5")))
    async with stores.database.transaction() as connection:
        [mirror] = (await connection.execute(select(bases.c.id))).scalars()
        place = {"registry": "mcr.example", "repository": ASPNET.repository, "tag": ASPNET.tag}
        upstream = await connection.execute(
            bases.insert().values(**place, due_at=stores.clock.now()).returning(bases.c.id)
        )
        is_copy = update(bases).where(bases.c.id == mirror).values(upstream_id=upstream.scalar_one())
        await connection.execute(is_copy)
    assert named(await shown(stores)) == ([], [(OPEN, WhyOpen.NOT_IN_IT)])


async def test_an_image_whose_contents_were_forgotten_is_not_known(stores: Stores) -> None:
    await moved(stores)
    await ubuntu_says(stores, (OPEN, glibc()))
    async with stores.database.transaction() as connection:
        await connection.execute(inventories.delete().where(inventories.c.digest == digest("b")))
    found = await shown(stores)
    assert named(found) == (None, [(OPEN, WhyOpen.NO_FIX)])
    assert found.gaps == ("what the image before it held is not kept any more",)


async def test_data_about_another_release_says_nothing(stores: Stores) -> None:
    before, after = (SSL,), (FIXED,)
    jammy = Distribution("ubuntu", "22.04")
    await running(stores, *before, base=before, distribution=jammy)
    await move_base(stores, *after, distribution=jammy)
    await compared(stores, before, after)
    await ubuntu_says(stores, (CVE, OPENSSL))
    assert named(await shown(stores)) == ([], [])


async def test_a_pull_request_tells_of_what_it_brings(stores: Stores) -> None:
    await moved(stores)
    await ubuntu_says(stores, (CVE, OPENSSL), (OPEN, glibc()))
    await stores.plan_all()
    [job] = await stores.jobs()
    [platform] = job.packages[ASPNET]
    assert platform.cves is not None
    assert named(platform.cves) == ([CVE], [(OPEN, WhyOpen.NO_FIX)])


async def test_the_message_of_a_rollout_tells_what_its_bases_still_have(stores: Stores) -> None:
    await moved(stores)
    await stores.plan_all()
    assert (await stores.report.rollout(1)).still_open is None, "nobody has CVE data read"
    await ubuntu_says(stores, (CVE, OPENSSL), (OPEN, glibc()))
    with statements(stores.database._readers) as first:
        news = await stores.report.rollout(1)
    with statements(stores.database._readers) as again:
        await stores.report.rollout(1)
    assert news.still_open is not None
    told = [(each.cve, each.why) for each in news.still_open.cves or ()]
    assert (told, news.still_open.gaps) == ([(OPEN, WhyOpen.NO_FIX)], ())
    assert len(again) < len(first)
    assert not any("FROM inventory_packages" in each for each in again)


async def test_of_several_moves_together_it_is_told_from_before_the_first_to_after_the_last(stores: Stores) -> None:
    """The first fixes one CVE, the second another; a third nobody has fixed."""
    newer = replace(GLIBC, version="2.39-0ubuntu8.5", source_version="2.39-0ubuntu8.5")
    await moved(stores)
    await ubuntu_says(stores, (CVE, OPENSSL), (OPEN, glibc("2.39-0ubuntu8.5")), ("CVE-2026-2003", glibc()))
    await moved_again(stores, "f", newer)
    async with stores.database.reading() as connection:
        both = set(await connection.scalars(select(changes.c.id)))
        found = await CvesOfMoves(stores.clock).over(connection, {ASPNET: both})
    assert len(both) == 2
    assert named(found[ASPNET]["linux/amd64"]) == ([CVE, OPEN], [("CVE-2026-2003", WhyOpen.NO_FIX)])


async def test_an_image_is_read_once_for_all_that_ask_until_its_data_changes(stores: Stores) -> None:
    await moved(stores)
    await ubuntu_says(stores, (CVE, OPENSSL), (OPEN, glibc()))
    with statements(stores.database._readers) as first:
        await shown(stores)
    with statements(stores.database._readers) as again:
        await shown(stores)
    asked = "FROM inventory_packages"
    assert ([asked in each for each in first].count(True), any(asked in each for each in again)) == (1, False)
    await ubuntu_says(stores, (CVE, OPENSSL))
    assert named(await shown(stores)) == ([CVE], [])


async def test_an_advisory_of_dotnet_counts_as_soon_as_its_feed_tells_of_it(stores: Stores) -> None:
    runtime = Package("nuget", "Microsoft.NETCore.App", "10.0.4")
    await moved(stores, runtime, before=(runtime,))
    assert named(await shown(stores)) == (None, None)
    await microsoft_says(stores, OPEN, fixed_in="10.0.5")
    assert named(await shown(stores)) == ([], [(OPEN, WhyOpen.NOT_REBUILT)])


async def test_what_data_was_looked_through_for_is_unpacked_once_for_all_that_ask(stores: Stores) -> None:
    await moved(stores)
    await ubuntu_says(stores, (OPEN, glibc()))
    unpackings = kept_data._considered.cache_info
    kept_data._considered.cache_clear()
    for _ in range(3):
        await shown(stores)
    assert (unpackings().misses, unpackings().hits) == (1, 2)
    stores.clock.advance(HOUR)
    await running(stores, replace(SSL, name="libother"), image="7")
    await ubuntu_says(stores, (OPEN, glibc()), (CVE, OPENSSL))
    await shown(stores)
    assert unpackings().misses == 2


@ON_BOTH
async def test_more_moves_are_asked_for_in_no_more_statements(stores: Stores) -> None:
    await moved(stores)
    await ubuntu_says(stores, (OPEN, glibc()))
    with statements(stores.database._readers) as of_one:
        await shown(stores.other("one"))
    for letter in "fgh":
        await moved_again(stores, letter, GLIBC)
        stores.clock.advance(HOUR)
    with statements(stores.database._readers) as of_many:
        found = await stores.other("many").base_views.changes_of(str(ASPNET))
    assert of_one
    assert (len(found), len(of_many)) == (4, len(of_one))
    assert all(platform.cves is not None for _, several in found for platform in several)


async def test_an_open_pull_request_tells_of_cves_once_the_data_was_looked_through_for_what_it_brings(
    stores: Stores,
) -> None:
    await moved(stores)
    await stores.plan_all()
    await opened(stores)
    assert await stores.jobs() == []
    await ubuntu_says(stores, (OPEN, glibc()))
    [job] = await stores.jobs()
    [platform] = job.packages[ASPNET]
    assert platform.cves is not None
    assert named(platform.cves) == ([], [(OPEN, WhyOpen.NO_FIX)])


@pytest.mark.parametrize(("severity", "is_due"), [(Severity.HIGH, True), (Severity.LOW, False)], ids=str)
async def test_an_open_pull_request_names_a_severe_cve_that_comes_late(
    stores: Stores, severity: Severity, is_due: bool
) -> None:
    await moved(stores)
    await ubuntu_says(stores)
    await stores.plan_all()
    await opened(stores)
    assert await stores.jobs() == []
    await ubuntu_says(stores, (OPEN, glibc()), severity=severity)
    assert bool(await stores.jobs()) is is_due


async def test_what_is_said_of_open_pull_requests_at_once_is_written_at_once(stores: Stores) -> None:
    """Else rows would be locked in the order in which it is said, and two transactions wait for each other."""
    await moved(stores)
    await stores.plan_all()
    await opened(stores)
    with statements(stores.database.engine) as asked:
        await ubuntu_says(stores, (OPEN, glibc()), severity=Severity.HIGH)
    assert len([each for each in asked if each.startswith("UPDATE rebuilds")]) == 1


async def test_data_that_was_being_read_while_packages_were_compared_counts_for_them_the_next_time(
    stores: Stores,
) -> None:
    """It is looked through for what was held when its reading began."""
    await moved(stores)
    await stores.plan_all()
    await opened(stores)
    await ubuntu_says(stores, after=timedelta(minutes=5))
    await opened(stores)
    assert await stores.jobs() == []
    await ubuntu_says(stores)
    assert await stores.jobs() != []
