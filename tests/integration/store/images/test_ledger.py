"""Where fixes are stuck, by what images and bases were seen to hold."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import null, select, text, update

from bot.domain.bases.observation import Observation, Sight
from bot.domain.feeds.advisory import Severity
from bot.domain.feeds.document import FeedKind, FeedSource, StoredDocument
from bot.domain.images.claims import Claim, Source, TagRule
from bot.domain.images.image import SeenImage
from bot.domain.images.standing import ImageStanding
from bot.domain.packages.cves.marks import CveMark, CveMarks, MarkedCves
from bot.domain.packages.cves.publication import DumpMark
from bot.domain.packages.cves.vulnerability import VersionRange, Vulnerability
from bot.domain.packages.ledger.clocks import AffectedImage, Passage, Station
from bot.domain.packages.ledger.entries import LedgerEntry, StationTime, entry_of
from bot.domain.packages.package import Distribution, Package
from bot.domain.reference import Base, Reference
from bot.domain.repositories.repository import Reading
from bot.domain.rollouts.rebuild import RebuildState
from bot.fleet.verify.images.ports import Look
from bot.fleet.watch.feeds.tick import FeedReading
from bot.fleet.watch.registry.ports import Sighting
from bot.fleet.watch.vulnerabilities.tick import KeptDump
from bot.store.engine.queue.claiming import Worker
from bot.store.pages.ledger import entries
from bot.store.pages.ledger.below import BasesBelow, Below
from bot.store.pages.ledger.kept import read_kept
from bot.store.pages.ledger.ledger import LedgerStore
from bot.store.rows.bases.tables import bases
from bot.store.rows.images.images import deployments, images
from bot.store.rows.inventories import wanted
from bot.store.rows.inventories.inventories import inventories, later_indexes, shown_again
from bot.store.rows.inventories.marks import save_marks
from bot.store.rows.rollouts.tables import rebuilds
from bot.upstream.osv.dump import DumpReading
from bot.views.images.image_contents import WantedCves
from bot.views.images.ledger import CvePage, LedgerRow
from bot.views.paging import Cut
from tests.bench import bench_inventory, bench_ledger
from tests.integration.store.conftest import ON_BOTH
from tests.integration.store.filling import ASPNET, HOUR, Stores, digest, usage_of
from tests.integration.store.holding import (
    AMD64,
    CVE,
    FIXED,
    OPENSSL,
    SOURCE,
    SSL,
    UNFIXED,
    WANTED,
    looks_at,
    microsoft_says,
    move_base,
    move_image,
    promoting,
    publish,
    running,
    shows,
    told,
)
from tests.integration.store.statements import statements

LIBC = Package("deb", "libc6", "2.39", "amd64", "glibc", "2.39")


async def page(stores: Stores, cve: str = CVE) -> CvePage:
    found = await stores.ledger.cve(cve, Cut())
    assert found is not None
    return found


async def only(stores: Stores) -> LedgerRow:
    [row] = (await page(stores)).images.items
    return row


async def test_without_a_fix_its_publisher_is_waited_for(stores: Stores) -> None:
    await running(stores, SSL, base=(SSL,))
    await publish(stores, UNFIXED)
    row = await only(stores)
    assert (row.waits_at, row.who, row.says) == (Station.FIX, "Ubuntu", "Ubuntu has no fix")
    assert (row.image, row.repository) == ("ghcr.io/contoso/shop:latest", "contoso/shop")
    assert row.packages == (f"libssl3t64 {SSL.version}",)


async def test_of_two_packages_of_which_one_has_a_fix_the_publisher_of_the_other_is_waited_for(
    stores: Stores,
) -> None:
    """The same CVE is in two source packages, each with a notice of its own."""
    ovmf = Package("deb", "ovmf", "1.0", "amd64", "edk2", "1.0")
    await running(stores, SSL, ovmf, base=(SSL, ovmf))
    await stores.vulnerabilities.follow_dumps([SOURCE])
    await stores.taken(stores.vulnerabilities.dumps)
    wanted = replace(WANTED, names=WANTED.names | {"edk2", "ovmf"})
    records = tuple(
        Vulnerability(name, (CVE,), "overflow", Severity.HIGH, "Ubuntu", affected=(affected,))
        for name, affected in (("USN-1-1", OPENSSL), ("USN-2-1", replace(UNFIXED, name="edk2")))
    )
    kept = KeptDump(SOURCE, DumpMark("1"), wanted, DumpReading(records))
    await stores.vulnerabilities.keep_dump(kept, stores.clock.now() + HOUR)
    row = await only(stores)
    assert (row.waits_at, row.who, row.says) == (Station.FIX, "Ubuntu", "Ubuntu has no fix of ovmf")


async def test_what_is_known_to_be_exploited_comes_before_what_is_more_severe(stores: Stores) -> None:
    await running(stores, SSL, base=(SSL,))
    await stores.vulnerabilities.follow_dumps([SOURCE])
    await stores.taken(stores.vulnerabilities.dumps)
    other = "CVE-2026-9999"
    rated = ((CVE, Severity.LOW), (other, Severity.CRITICAL))
    records = tuple(
        Vulnerability(f"UBUNTU-{name}", (name,), "overflow", severity, "Ubuntu", affected=(OPENSSL,))
        for name, severity in rated
    )
    kept = KeptDump(SOURCE, DumpMark("1"), WANTED, DumpReading(records))
    await stores.vulnerabilities.keep_dump(kept, stores.clock.now() + HOUR)
    assert [row.cve for row in (await stores.ledger.cves(Cut())).cves.items] == [other, CVE]
    marks = CveMarks(MarkedCves({CVE: date(2026, 3, 4)}), MarkedCves({CVE: 114, other: 5000}))
    async with stores.database.transaction() as connection:
        await save_marks(connection, marks)
    stores.clock.advance(HOUR)
    first, second = (await stores.ledger.cves(Cut())).cves.items
    assert (first.cve, first.mark) == (CVE, CveMark(True, date(2026, 3, 4), 0.0114))
    assert (second.cve, second.mark) == (other, CveMark(epss=0.5))
    assert (await page(stores)).cve.mark == first.mark
    inside = await stores.image_contents.cves("ghcr.io/contoso/shop", None, WantedCves(), Cut())
    assert inside is not None
    assert [row.cve for row in inside.cves.items] == [CVE, other]


async def test_a_base_that_still_has_it_is_waited_for(stores: Stores) -> None:
    await running(stores, SSL, base=(SSL,))
    await publish(stores)
    row = await only(stores)
    assert (row.waits_at, row.who) == (Station.BASE, "Microsoft")
    assert row.clocks[0].at == stores.clock.now(), "when the fix was first seen"


async def test_of_a_fix_that_was_published_again_the_last_version_counts_with_its_time(stores: Stores) -> None:
    """The first did not help: a base that has it is still waited for."""
    await running(stores, SSL, base=(FIXED,))
    await stores.vulnerabilities.follow_dumps([SOURCE])
    await stores.taken(stores.vulnerabilities.dumps)
    now, last = stores.clock.now(), "3.0.13-0ubuntu3.7"
    again = replace(OPENSSL, ranges=(VersionRange(fixed=last),))
    records = tuple(
        Vulnerability(name, (CVE,), "overflow", Severity.HIGH, "Ubuntu", published_at=at, affected=(affected,))
        for name, at, affected in (
            ("USN-1-2", now - 2 * HOUR, again),
            ("USN-1-1", now - 9 * HOUR, OPENSSL),
            ("USN-1-3", now - HOUR, again),
        )
    )
    kept = KeptDump(SOURCE, DumpMark("1"), WANTED, DumpReading(records))
    await stores.vulnerabilities.keep_dump(kept, now + HOUR)
    row = await only(stores)
    assert (row.clocks[0].says, row.clocks[0].at) == (f"Ubuntu fixed it in {last}", now - 2 * HOUR)
    assert row.waits_at is Station.BASE


async def test_an_image_that_was_not_rebuilt_is_waited_for_with_when_its_base_was(stores: Stores) -> None:
    await running(stores, SSL, base=(SSL,))
    await publish(stores)
    await move_base(stores, FIXED)
    row = await only(stores)
    assert (row.waits_at, row.who) == (Station.IMAGE, "contoso/shop")
    assert row.clocks[1].at == stores.clock.now()


async def test_a_rebuilt_image_waits_for_manifests_that_pin_another_digest(stores: Stores) -> None:
    await running(stores, SSL, base=(SSL,), deployed=digest("e"))
    await publish(stores)
    await move_base(stores, FIXED)
    await move_image(stores, FIXED)
    row = await only(stores)
    assert (row.waits_at, row.who, row.says) == (
        Station.DEPLOYED,
        "contoso/shop",
        "not deployed: contoso/shop/Dockerfile:1",
    )
    assert row.packages == (f"libssl3t64 {SSL.version}",), "what it had"


@pytest.mark.parametrize("pinned", ["7", "6", "8"], ids=["platform", "build since", "platform of it"])
async def test_a_manifest_has_the_fix_that_pins_a_platform_or_a_build_since(stores: Stores, pinned: str) -> None:
    await running(stores, SSL, base=(SSL,), deployed=digest(pinned))
    await publish(stores)
    await move_base(stores, FIXED)
    for index, platform in (("6", "8"), ("5", "7")):
        stores.clock.advance(HOUR)
        [row] = await stores.taken(stores.images.images)
        await stores.images.keep_look(row, Look("latest", SeenImage(digest(index), (shows(platform),)), ()))
        await told(stores, {platform: (FIXED, LIBC)})
    assert (await only(stores)).state == "fixed"
    assert (await stores.ledger.cves(Cut())).cves.items == ()


async def test_a_manifest_has_the_fix_whatever_a_platform_holds_that_is_never_read(stores: Stores) -> None:
    """The service reads linux/amd64 alone; the build since has linux/arm64 too."""
    ledger = LedgerStore(stores.database, Worker("reading"), stores.clock, platforms=AMD64)
    await running(stores, SSL, base=(SSL,), deployed=digest("6"))
    await publish(stores)
    await move_base(stores, FIXED)
    for index, platform, other in (("6", "8", "1"), ("5", "7", "2")):
        stores.clock.advance(HOUR)
        [row] = await stores.taken(stores.images.images)
        shown = SeenImage(digest(index), (shows(platform), shows(other, "linux/arm64")))
        await stores.images.keep_look(row, Look("latest", shown, ()))
        await told(stores, {platform: (FIXED, LIBC)})
    found = await ledger.cve(CVE, Cut())
    assert found is not None
    assert [(row.state, row.says) for row in found.images.items] == [("fixed", "")]
    assert (await ledger.cves(Cut())).cves.items == ()


async def test_a_pinned_build_lacks_the_fix_that_has_a_platform_of_the_one_before_it(stores: Stores) -> None:
    """That platform has the CVE, in both builds."""
    await running(stores, SSL, base=(SSL,), deployed=digest("6"))
    await publish(stores)
    await move_base(stores, FIXED)
    holding: dict[str, tuple[Package, ...]] = {
        "d": (SSL,),
        "1": (SSL,),
        "8": (FIXED,),
        "7": (FIXED,),
        "2": (FIXED,),
    }
    for index, platform, other in (("3", "d", "1"), ("6", "8", "1"), ("5", "7", "2")):
        stores.clock.advance(HOUR)
        [row] = await stores.taken(stores.images.images)
        shown = SeenImage(digest(index), (shows(platform), shows(other, "linux/arm64")))
        await stores.images.keep_look(row, Look("latest", shown, ()))
        await told(stores, holding, platforms=["linux/amd64", "linux/arm64"])
    assert (await only(stores)).says == "not deployed: contoso/shop/Dockerfile:1"
    [listed] = (await stores.ledger.cves(Cut())).cves.items
    assert listed.places == (await page(stores)).cve.places


async def _show(stores: Stores, index: str, platform: str) -> None:
    """The tag shows this index from now on; the platform's image in it is free of the CVE."""
    stores.clock.advance(HOUR)
    [row] = await stores.taken(stores.images.images)
    await stores.images.keep_look(row, Look("latest", SeenImage(digest(index), (shows(platform),)), ()))
    await told(stores, {platform: (FIXED,)})


@pytest.mark.parametrize("pinned", ["6", "5"], ids=["first", "later"])
async def test_a_manifest_has_the_fix_that_pins_any_index_of_a_build_since(stores: Stores, pinned: str) -> None:
    """The same image of a platform was pushed again, with another attestation beside it."""
    await running(stores, SSL, base=(SSL,), deployed=digest(pinned))
    await publish(stores)
    await move_base(stores, FIXED)
    for index, platform in (("6", "8"), ("5", "8"), ("4", "7")):
        await _show(stores, index, platform)
    assert (await only(stores)).state == "fixed"


async def test_of_later_indexes_only_what_is_shown_or_pinned_is_remembered(stores: Stores) -> None:
    await running(stores, SSL, base=(SSL,), deployed=digest("5"))
    for index in "65432":
        await _show(stores, index, "8")
    await _forget_after(stores, timedelta(days=9))
    async with stores.database.reading() as connection:
        kept = (await connection.scalars(select(later_indexes.c.index_digest))).all()
    assert sorted(kept) == [digest("2"), digest("5")]


async def test_a_build_of_one_platform_has_the_fix_whatever_came_to_the_image_since(stores: Stores) -> None:
    await running(stores, SSL, base=(SSL,), deployed=digest("8"))
    await publish(stores)
    await move_base(stores, FIXED)
    await move_image(stores, FIXED, letter="8")
    holding: dict[str, tuple[Package, ...]] = {"7": (FIXED,), "1": (SSL,), "9": (FIXED,), "2": (FIXED,)}
    for index, platform, other in (("3", "7", "1"), ("5", "9", "2")):
        stores.clock.advance(25 * HOUR)
        [row] = await stores.taken(stores.images.images)
        shown = SeenImage(digest(index), (shows(platform), shows(other, "linux/arm64")))
        await stores.images.keep_look(row, Look("latest", shown, ()))
        await told(stores, holding, platforms=["linux/amd64", "linux/arm64"])
    row_of_image = await only(stores)
    assert (row_of_image.cannot_tell, row_of_image.clocks[5].says) == (False, "what is deployed has it")


async def _names(stores: Stores, digest: str | None, line: int = 1) -> None:
    """The manifest names this digest, or the tag alone, from the next reading on."""
    named = Reference("ghcr.io/contoso/shop", "latest", digest)
    place = replace(usage_of(ASPNET), reference=named, line=line)
    claim = Claim("ghcr.io/contoso/shop", TagRule("latest"), Source.BUILD)
    stores.clock.advance(25 * HOUR)
    usages = ((usage_of(ASPNET), ASPNET),)
    await stores.read(Reading(f"tree of {stores.clock.now()}", usages, images=(claim,), deployed=(place,)))


async def test_a_fix_is_deployed_since_a_manifest_pins_the_build_that_brought_it(stores: Stores) -> None:
    await running(stores, SSL, base=(SSL,), deployed=digest("e"))
    await publish(stores)
    await move_base(stores, FIXED)
    await move_image(stores, FIXED)
    await _names(stores, digest("f"))
    pinned_at = stores.clock.now()
    await _names(stores, digest("f"), line=7)
    row = await only(stores)
    assert (row.state, row.clocks[5].at) == ("fixed", pinned_at)
    assert row.clocks[5].elsewhere == StationTime(1, 25 * HOUR)


async def test_a_manifest_that_names_a_tag_has_the_fix_since_the_tag_has_it(stores: Stores) -> None:
    """Though it named the tag for longer than anybody knows, and the image was built again since."""
    await running(stores, SSL, base=(SSL,))
    await publish(stores)
    await move_base(stores, FIXED)
    await move_image(stores, FIXED)
    built_at = stores.clock.now()
    await _names(stores, None)
    await move_image(stores, FIXED, letter="7")
    row = await only(stores)
    assert [clock.at for clock in row.clocks[4:6]] == [built_at, built_at]
    assert row.clocks[5].elsewhere == StationTime(1, timedelta())


async def _names_in_turn(stores: Stores, *named: str | None) -> list[datetime]:
    """The image was built with the fix as `f`, `7` and `9`; the manifest, which pins the build before those, names
    these after each other, the tag where it is None. When it did."""
    await running(stores, SSL, base=(SSL,), deployed=digest("e"))
    await publish(stores)
    await move_base(stores, FIXED)
    for letter in "f79":
        await move_image(stores, FIXED, letter=letter)
    times = []
    for each in named:
        await _names(stores, None if each is None else digest(each))
        times.append(stores.clock.now())
    return times


@pytest.mark.parametrize(
    ("named", "first"),
    [
        (("f", "7", "9"), 0),
        (("7", "9"), 0),
        (("9",), 0),
        ((None, "7"), 0),
        (("7", None), 0),
        (("f", "e", "7", "9"), 2),
    ],
    ids=["each build", "but for one", "the last", "tag first", "tag last", "back in between"],
)
async def test_a_fix_is_deployed_since_a_manifest_names_some_build_that_has_it(
    stores: Stores, named: tuple[str | None, ...], first: int
) -> None:
    times = await _names_in_turn(stores, *named)
    row = await only(stores)
    assert (row.state, row.clocks[5].at) == ("fixed", times[first])
    assert row.clocks[5].elsewhere is not None


async def test_since_when_the_fix_is_deployed_is_not_known_where_a_build_before_is_not(stores: Stores) -> None:
    """Nobody saw the build that the manifest named in between; it may have had the fix."""
    await _names_in_turn(stores, "f", "3", "9")
    row = await only(stores)
    assert (row.state, row.clocks[5].at, row.clocks[5].elsewhere) == ("fixed", None, None)


async def test_since_when_the_fix_is_deployed_is_not_known_where_nobody_kept_what_was_named(stores: Stores) -> None:
    """The manifest may have named the build before, which has the fix too."""
    await _names_in_turn(stores, "f", "7")
    async with stores.database.transaction() as connection:
        await connection.execute(update(deployments).values(named_before=null()))
    row = await only(stores)
    assert (row.state, row.clocks[5].at, row.clocks[5].elsewhere) == ("fixed", None, None)


async def test_what_a_manifest_named_before_may_be_no_list_of_names(stores: Stores) -> None:
    await _names_in_turn(stores, "f", "7")
    async with stores.database.transaction() as connection:
        await connection.execute(update(deployments).values(named_before={"since": "soon"}))
    assert ((await only(stores)).state, (await only(stores)).clocks[5].at) == ("fixed", None)
    await _names(stores, digest("9"))
    stores.clock.advance(HOUR)
    assert ((await only(stores)).state, (await only(stores)).clocks[5].at) == ("fixed", None)


async def test_a_place_whose_time_is_no_date_is_there_all_the_same(stores: Stores) -> None:
    await running(stores, SSL, base=(SSL,), deployed=digest("9"))
    await publish(stores)
    await move_base(stores, FIXED)
    await move_image(stores, FIXED)
    if stores.database.engine.dialect.name == "sqlite":
        async with stores.database.transaction() as connection:
            await connection.execute(text("UPDATE deployments SET since = 'soon'"))
    assert (await only(stores)).state == "not deployed"


async def test_a_manifest_lacks_the_fix_that_pins_a_build_of_before(stores: Stores) -> None:
    await running(stores, SSL, base=(SSL,), deployed=digest("e"))
    await publish(stores)
    await move_base(stores, FIXED)
    for letter in "67":
        await move_image(stores, FIXED, letter=letter)
    assert (await only(stores)).state == "not deployed"
    [listed] = (await stores.ledger.cves(Cut())).cves.items
    assert listed.places.waiting[Station.DEPLOYED] == 1


@pytest.mark.parametrize(("is_built", "state"), [(True, "cannot be told"), (False, "not deployed")])
async def test_a_build_that_was_never_seen_may_have_the_fix_where_it_is_named_since_the_last_without(
    stores: Stores, is_built: bool, state: str
) -> None:
    """The tag may have shown it between two looks."""
    await running(stores, SSL, base=(SSL,), deployed=digest("e" if is_built else "9"))
    await publish(stores)
    await move_base(stores, FIXED)
    await _names(stores, digest("9"))
    await move_image(stores, FIXED)
    row = await only(stores)
    assert (row.state, row.who) == (state, "contoso/shop")
    [listed] = (await stores.ledger.cves(Cut())).cves.items
    assert listed.places == (await page(stores)).cve.places


async def _image_clocks(stores: Stores) -> dict[str, tuple[Passage, datetime | None]]:
    """That of the image, by tag."""
    stores.clock.advance(HOUR / 60)
    rows = (await page(stores)).images.items
    return {row.image.rpartition(":")[2]: (row.clocks[4].passage, row.clocks[4].at) for row in rows}


async def test_an_image_that_went_back_has_the_fix_since_it_came_again(stores: Stores) -> None:
    await running(stores, SSL, base=(SSL,))
    await publish(stores)
    await move_base(stores, FIXED)
    await looks_at(stores, "latest", "f", FIXED)
    await looks_at(stores, "latest", "d")
    again = await looks_at(stores, "latest", "f")
    assert await _image_clocks(stores) == {"latest": (Passage.PASSED, again)}
    await looks_at(stores, "latest", "7", FIXED)
    assert await _image_clocks(stores) == {"latest": (Passage.PASSED, again)}
    assert (await stores.ledger.cves(Cut())).cves.items == ()


@pytest.fixture
async def promoted(stores: Stores) -> Stores:
    """`latest` is built and promoted to `prod`; both show a build with the CVE."""
    await promoting(stores, SSL)
    await publish(stores)
    return stores


async def test_a_tag_that_a_build_is_promoted_to_has_the_fix_since_then(promoted: Stores) -> None:
    built = await looks_at(promoted, "latest", "f", FIXED)
    assert await _image_clocks(promoted) == {"latest": (Passage.PASSED, built), "prod": (Passage.AHEAD, None)}
    moved = await looks_at(promoted, "prod", "f")
    assert await _image_clocks(promoted) == {"latest": (Passage.PASSED, built), "prod": (Passage.PASSED, moved)}
    await looks_at(promoted, "latest", "7", FIXED)
    await looks_at(promoted, "prod", "7")
    assert await _image_clocks(promoted) == {"latest": (Passage.PASSED, built), "prod": (Passage.PASSED, moved)}


async def test_a_tag_may_be_promoted_to_over_a_build_that_nobody_else_has_shown(promoted: Stores) -> None:
    """The build that `latest` showed before is another, and had no such package."""
    await looks_at(promoted, "latest", "1", LIBC)
    await looks_at(promoted, "latest", "f", LIBC)
    moved = await looks_at(promoted, "prod", "f")
    assert (await _image_clocks(promoted))["prod"] == (Passage.PASSED, moved)
    [listed] = [row for row in (await page(promoted)).images.items if row.image.endswith(":prod")]
    assert listed.packages == (f"libssl3t64 {SSL.version}",)


async def test_two_tags_of_one_build_have_the_fix_since_either_was_seen_with_it(promoted: Stores) -> None:
    promoted.clock.advance(25 * HOUR)
    built = promoted.clock.now()
    for row in await promoted.taken(promoted.images.images):
        await promoted.images.keep_look(row, Look(row.claim.tag.text, SeenImage(digest("f"), (shows("f"),)), ()))
        promoted.clock.advance(HOUR / 60)
    await told(promoted, {"f": (FIXED,)})
    assert set((await _image_clocks(promoted)).values()) == {(Passage.PASSED, built)}


async def test_what_a_tag_shows_that_is_new_to_the_fleet_it_may_have_shown_before(promoted: Stores) -> None:
    await looks_at(promoted, "latest", "f", FIXED)
    tags = ("latest", "prod", "canary")
    claims = tuple(Claim("ghcr.io/contoso/shop", TagRule(tag), Source.BUILD) for tag in tags)
    await promoted.read(Reading("tree-2", ((usage_of(ASPNET), ASPNET),), images=claims))
    await looks_at(promoted, "canary", "f")
    assert (await _image_clocks(promoted))["canary"] == (Passage.PASSED, None)


async def test_of_a_tag_that_goes_back_and_forth_no_more_is_kept_than_is_looked_back_at(
    promoted: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wanted, "MOST_BEFORE", 4)
    await looks_at(promoted, "prod", "f", FIXED)
    for _ in range(4):
        await looks_at(promoted, "prod", "d")
        again = await looks_at(promoted, "prod", "f")
    async with promoted.database.reading() as connection:
        kept = list(await connection.scalars(select(shown_again.c.since).order_by(shown_again.c.id)))
    assert (len(kept), kept[-1]) == (4, again)
    assert (await _image_clocks(promoted))["prod"] == (Passage.PASSED, again)


async def test_what_a_tag_showed_before_it_was_promoted_to_is_remembered_as_long_as_it_shows_that(
    promoted: Stores,
) -> None:
    await looks_at(promoted, "latest", "1", LIBC)
    await looks_at(promoted, "latest", "f", LIBC)
    moved = await looks_at(promoted, "prod", "f")
    for _ in range(2):
        await _forget_after(promoted, timedelta(days=30))
    assert (await _image_clocks(promoted))["prod"] == (Passage.PASSED, moved)


async def test_what_a_manifest_pins_of_a_tag_is_remembered_though_others_have_never_shown_it(
    promoted: Stores,
) -> None:
    """`prod` was promoted to builds of `canary` alone since."""
    await looks_at(promoted, "latest", "5", LIBC)
    claims = tuple(
        Claim("ghcr.io/contoso/shop", TagRule(tag), Source.BUILD) for tag in ("latest", "prod", "canary")
    )
    pinned = replace(usage_of(ASPNET), reference=Reference("ghcr.io/contoso/shop", "prod", digest("d")))
    await promoted.read(Reading("tree-2", ((usage_of(ASPNET), ASPNET),), images=claims, deployed=(pinned,)))
    for letter in "789":
        await looks_at(promoted, "canary", letter, FIXED)
        await looks_at(promoted, "prod", letter)
    for _ in range(2):
        rows = {row.image.rpartition(":")[2]: row for row in (await page(promoted)).images.items}
        assert rows["prod"].says == "not deployed: contoso/shop/Dockerfile:1"
        await _forget_after(promoted, timedelta(days=30))


async def _told_of_tags(stores: Stores, **told: bool) -> None:
    """The list of published images has the base no more, or again."""
    name = frozenset({(ASPNET.repository, ASPNET.tag)})
    now = stores.clock.now()
    source = FeedSource(FeedKind.IMAGE_INFO, "https://feeds.example/image-info.json")
    document = StoredDocument(source.url, None, None, str(told).encode(), now, now, "1")
    reading = FeedReading(
        *(source, document, now + HOUR),
        tags_withdrawn=name if told.get("withdrawn") else frozenset(),
        tags_returned=name if told.get("returned") else frozenset(),
    )
    await stores.feeds.follow_feeds([source])
    stores.clock.advance(HOUR)
    await stores.documents(frozenset({FeedKind.IMAGE_INFO}), 1)
    await stores.feeds.keep_feed(reading)


async def test_what_was_withdrawn_waits_for_whoever_builds_on_it_until_it_returns(stores: Stores) -> None:
    await running(stores, SSL, base=(SSL,))
    await publish(stores)
    await _told_of_tags(stores, withdrawn=True)
    row = await only(stores)
    assert (row.waits_at, row.who) == (Station.BASE, "contoso/shop")
    assert row.says == f"Microsoft has withdrawn {ASPNET}: contoso/shop has to build on another"
    [listed] = (await stores.ledger.cves(Cut())).cves.items
    assert listed.places == (await page(stores)).cve.places
    stores.clock.advance(HOUR)
    await _told_of_tags(stores, returned=True)
    row = await only(stores)
    assert (row.waits_at, row.who) == (Station.BASE, "Microsoft")


async def test_a_base_that_was_withdrawn_and_returned_has_the_fix_since_it_came(stores: Stores) -> None:
    await running(stores, SSL, base=(SSL,))
    await publish(stores)
    await move_base(stores, FIXED)
    moved_at = stores.clock.now()
    for told_of in ("withdrawn", "returned"):
        stores.clock.advance(HOUR)
        await _told_of_tags(stores, **{told_of: True})
    assert (await only(stores)).clocks[1].at == moved_at
    await _see(stores, ASPNET, "9", FIXED)
    assert (await only(stores)).clocks[1].at == moved_at


async def test_what_has_arrived_is_over_and_told_only_where_it_is_asked_for(stores: Stores) -> None:
    await running(stores, SSL, base=(SSL,))
    await publish(stores)
    await move_base(stores, FIXED)
    await move_image(stores, FIXED)
    row = await only(stores)
    assert (row.state, row.waits_at, row.cannot_tell) == ("fixed", None, False)
    assert (await stores.ledger.cves(Cut())).cves.items == ()


async def test_a_base_that_was_not_read_cannot_be_told(stores: Stores) -> None:
    await running(stores, SSL, base=(SSL,))
    await publish(stores)
    await move_base(stores)
    row = await only(stores)
    assert (row.cannot_tell, row.says) == (True, f"what {ASPNET} holds is not known: it was not read yet")


async def test_what_no_base_brings_waits_for_the_image(stores: Stores) -> None:
    await running(stores, SSL, base=(LIBC,))
    await publish(stores)
    row = await only(stores)
    assert (row.waits_at, row.clocks[1].passage) == (Station.IMAGE, Passage.NOT_CONCERNED)


async def test_the_fleet_lists_what_is_open_by_where_it_is_stuck(stores: Stores) -> None:
    await running(stores, SSL, base=(FIXED,))
    await publish(stores)
    [row] = (await stores.ledger.cves(Cut())).cves.items
    assert (row.cve, row.severity, row.rated_by, row.publishers) == (CVE, "high", "Ubuntu", ("Ubuntu",))
    assert (row.places.open, row.places.waiting[Station.IMAGE]) == (1, 1)


@pytest.fixture
async def small_fleet(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> Stores:
    """40 images on 4 bases, with 5 open CVEs."""
    small = {"BASES": 4, "OF_BASE": 6, "OWN": 5, "POOL": 50}
    for name, number in small.items():
        monkeypatch.setattr(bench_inventory, name, number)
    monkeypatch.setattr(bench_ledger, "OPEN", 5)
    await bench_inventory.fill(stores.database, 40)
    await bench_ledger.tell(stores.database)
    return stores


async def test_what_lies_below_images_is_worked_out_once_for_all_that_stand_alike(
    small_fleet: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    below = BasesBelow.below

    def counted(self: BasesBelow, standings: Sequence[ImageStanding], platform: str) -> Below:
        asked.append(standings)
        return below(self, standings, platform)

    monkeypatch.setattr(BasesBelow, "below", counted)
    found = await page(small_fleet, "CVE-2026-1002")
    assert (found.cve.places.open, len(asked)) == (40, 4)


async def test_images_are_looked_at_once_that_stand_alike_whatever_builds_manifests_pin_that_nobody_saw(
    small_fleet: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each place names another build, since another moment."""
    asked: list[AffectedImage] = []

    def counted(image: AffectedImage) -> LedgerEntry:
        asked.append(image)
        return entry_of(image)

    monkeypatch.setattr(entries, "entry_of", counted)
    await small_fleet.ledger.cves(Cut())
    of_tags = len(asked)
    asked.clear()
    async with small_fleet.database.transaction() as connection:
        for number in await connection.scalars(select(deployments.c.id)):
            pinned = {"digest": f"sha256:f{number:063x}", "since": small_fleet.clock.now() + number * HOUR}
            await connection.execute(update(deployments).where(deployments.c.id == number).values(**pinned))
    small_fleet.clock.advance(HOUR)
    found = await small_fleet.ledger.cves(Cut())
    assert len(asked) == of_tags
    small_fleet.clock.advance(HOUR)
    assert {row.cve: row.places for row in found.cves.items} == {
        row.cve: (await page(small_fleet, row.cve)).cve.places for row in found.cves.items
    }


async def test_the_list_counts_the_images_that_each_cve_has_on_its_page(small_fleet: Stores) -> None:
    stores = small_fleet
    async with stores.database.transaction() as connection:
        await connection.execute(update(deployments).where(deployments.c.id % 3 == 0).values(tag="other"))
        await connection.execute(update(inventories).where(inventories.c.id % 7 == 0).values(is_complete=False))
        await connection.execute(update(images).where(images.c.id % 5 == 0).values(standings=null()))
    listed = (await stores.ledger.cves(Cut())).cves.items
    assert len(listed) == 5
    assert {row.cve: row.places for row in listed} == {
        row.cve: (await page(stores, row.cve)).cve.places for row in listed
    }
    assert any(0 < row.places.cannot_tell < row.places.open for row in listed)


async def test_the_list_counts_what_was_fixed_builds_ago_as_the_page_does(stores: Stores) -> None:
    await running(stores, SSL, base=(SSL,))
    await publish(stores)
    await move_base(stores, FIXED)
    for letter in "678":
        await move_image(stores, FIXED, letter=letter)
    async with stores.database.transaction() as connection:
        await connection.execute(update(deployments).values(tag="other"))
    [listed] = (await stores.ledger.cves(Cut())).cves.items
    assert listed.places == (await page(stores)).cve.places
    assert listed.places.cannot_tell == 1


async def test_the_list_counts_an_own_base_that_was_fixed_builds_ago_as_the_page_does(stores: Stores) -> None:
    """What it held before was shown by an image and by a base."""
    await running(stores, SSL, base=(FIXED,))
    await publish(stores)
    await _see(stores, ASPNET, "d")
    for letter in "678":
        await move_image(stores, FIXED, letter=letter)
        await _see(stores, ASPNET, letter)
    async with stores.database.transaction() as connection:
        await connection.execute(update(deployments).values(tag="other"))
    counted = (await page(stores)).cve.places
    assert counted.cannot_tell == 1
    assert [listed.places for listed in (await stores.ledger.cves(Cut())).cves.items] == [counted]


async def test_a_release_that_the_image_is_not_of_concerns_it_not(stores: Stores) -> None:
    await running(stores, SSL, base=(SSL,))
    await publish(stores, replace(OPENSSL, release="Ubuntu:22.04"))
    assert (await page(stores)).images.items == ()


async def test_what_was_worked_out_holds_for_a_minute(stores: Stores) -> None:
    await running(stores, SSL, base=(SSL,))
    await publish(stores)
    before = await page(stores), await stores.ledger.cves(Cut())
    async with stores.database.transaction() as connection:
        await connection.execute(update(inventories).values(read_at=None, is_complete=None))
    assert (await page(stores), await stores.ledger.cves(Cut())) == before
    stores.clock.advance(HOUR / 60)
    assert ((await page(stores)).not_known, (await stores.ledger.cves(Cut())).not_known) == (1, 1)


@ON_BOTH
async def test_the_list_that_is_kept_is_told_by_one_statement_in_any_process(stores: Stores) -> None:
    await running(stores, SSL, base=(SSL,))
    await publish(stores)
    await stores.ledger.keep()
    elsewhere = stores.other("another process", stores.clock.now() + HOUR / 6)
    with statements(stores.database._readers) as made:
        told_there = await elsewhere.ledger.cves(Cut())
    assert len(made) == 1
    assert told_there == await stores.ledger.cves(Cut())
    assert told_there.at == stores.clock.now()
    assert [row.cve for row in told_there.cves.items] == [CVE]


@ON_BOTH
async def test_a_list_that_is_kept_still_is_not_decoded_again(stores: Stores) -> None:
    await running(stores, SSL, base=(SSL,))
    await publish(stores)
    await stores.ledger.keep()
    now = stores.clock.now()
    async with stores.database.reading() as connection:
        known = await read_kept(connection, now)
        assert await read_kept(connection, now, known) is known
        other = replace(known, at=now - HOUR) if known is not None else None
        assert await read_kept(connection, now, other) == known


async def test_the_list_is_kept_anew_after_ten_minutes_and_one_that_nobody_renews_is_not_told(
    stores: Stores,
) -> None:
    await running(stores, SSL, base=(SSL,))
    await publish(stores)
    begun = stores.clock.now()
    for minutes, kept_at in ((0, 0), (9, 0), (10, 10), (19, 10)):
        stores.clock.advance(begun + minutes * HOUR / 60 - stores.clock.now())
        await stores.ledger.keep()
        assert (await stores.ledger.cves(Cut())).at == begun + kept_at * HOUR / 60
    stores.clock.advance(HOUR / 10)
    assert (await stores.ledger.cves(Cut())).at == stores.clock.now()


async def test_all_images_of_a_cve_are_grouped_by_who_can_move_them_whatever_page_is_shown(stores: Stores) -> None:
    await running(stores, SSL, base=(SSL,))
    await publish(stores)
    second = await stores.ledger.cve(CVE, Cut(2, 1))
    assert second is not None
    assert second.images.items == ()
    [group] = await stores.ledger.groups(CVE)
    assert (group.state, group.movers, len(group.images)) == ("base not rebuilt", ("Microsoft",), 1)
    assert group.clock is not None
    assert group.clock.first == stores.clock.now(), "since its fix was published"


async def test_an_image_of_which_one_platform_was_not_read_yet_is_not_known(stores: Stores) -> None:
    await running(stores, SSL, base=(FIXED,))
    await publish(stores)
    stores.clock.advance(HOUR)
    [row] = await stores.taken(stores.images.images)
    both = (shows("f"), shows("7", "linux/arm64"))
    await stores.images.keep_look(row, Look("latest", SeenImage(digest("6"), both), ()))
    await told(stores, {"f": (FIXED,)})
    assert ((await page(stores)).not_known, (await stores.ledger.cves(Cut())).not_known) == (1, 1)


async def test_a_cve_that_nobody_tells_of_concerns_no_image_once_all_is_read(stores: Stores) -> None:
    await running(stores, SSL)
    assert await stores.ledger.groups("CVE-2026-9999") == ()
    unread = await stores.ledger.cve("CVE-2026-9999", Cut())
    assert unread is not None
    assert unread.untold == "not known: nothing that was read tells of it"
    assert unread.gaps == ("no CVE data of Ubuntu is read (turn on vulnerabilities.ubuntu)",)
    await publish(stores)
    read = await stores.ledger.cve("CVE-2026-9999", Cut())
    assert read is not None
    assert read.untold == "concerns no image: nothing that was read of their packages tells of it"
    assert (read.gaps, read.not_known, read.images.total) == ((), 0, 0)


async def test_a_name_that_is_none_of_a_cve_and_that_nobody_tells_of_is_none(stores: Stores) -> None:
    assert await stores.ledger.cve("openssl", Cut()) is None


async def _gaps(stores: Stores) -> tuple[str, ...]:
    return (await stores.ledger.cves(Cut())).gaps


async def test_what_nobody_is_asked_about_or_was_long_ago_is_a_gap_and_no_none(stores: Stores) -> None:
    await running(stores, SSL)
    assert await _gaps(stores) == ("no CVE data of Ubuntu is read (turn on vulnerabilities.ubuntu)",)
    await publish(stores, replace(OPENSSL, release="Ubuntu:22.04"))
    assert await _gaps(stores) == ()
    old = f"the CVE data of Ubuntu is of {stores.clock.now():%Y-%m-%d %H:%M} UTC, more than 2 days old"
    stores.clock.advance(50 * HOUR)
    assert (await _gaps(stores), (await page(stores)).gaps) == ((old,), (old,))


async def test_a_fleet_of_which_no_image_is_known_is_a_gap(stores: Stores) -> None:
    [gap] = await _gaps(stores)
    assert gap.startswith("no image of the fleet is known yet")


async def test_net_and_libraries_have_gaps_of_their_own(stores: Stores) -> None:
    own = (Package("nuget", "runtimepack.Microsoft.NETCore.App", "10.0.5"), Package("nuget", "Serilog", "4.3.0"))
    await running(stores, *own)
    assert await _gaps(stores) == (
        "no CVE data of Microsoft (.NET) is read (turn on feeds.dotnet_releases)",
        "no CVE data of NuGet is read (turn on vulnerabilities.nuget)",
    )


@pytest.mark.parametrize(
    ("held", "gaps"),
    [((replace(SSL, source=None),), ("no CVE data is read of wolfi 1",)), ((), ())],
    ids=["with packages", "without"],
)
async def test_a_distribution_without_data_is_a_gap_where_an_image_holds_packages_of_it(
    stores: Stores, held: tuple[Package, ...], gaps: tuple[str, ...]
) -> None:
    await running(stores, *held, distribution=Distribution("wolfi", "1"))
    assert await _gaps(stores) == gaps


async def test_all_distributions_of_a_fleet_are_asked_for_at_once(small_fleet: Stores) -> None:
    with statements(small_fleet.database._readers) as before:
        assert await small_fleet.ledger.gaps() == ()
    async with small_fleet.database.transaction() as connection:
        for number in range(3):
            told = {"id": "wolfi", "version": str(number)}
            await connection.execute(
                update(inventories).where(inventories.c.id % 4 == number).values(distribution=told)
            )
    with statements(small_fleet.database._readers) as after:
        gaps = await small_fleet.ledger.gaps()
    assert sorted(gaps) == [f"no CVE data is read of wolfi {number}" for number in range(3)]
    assert len(after) == len(before)


async def test_the_frameworks_of_dotnet_wait_by_what_microsofts_advisories_say(stores: Stores) -> None:
    runtime = Package("nuget", "Microsoft.NETCore.App", "10.0.4")
    await running(stores, runtime, base=(runtime,))
    advisory = await microsoft_says(stores)
    [found] = (await page(stores, "CVE-2026-2002")).images.items
    assert (found.waits_at, found.who) == (Station.BASE, "Microsoft")
    assert (found.clocks[0].says, found.clocks[0].at) == (
        "Microsoft (.NET) fixed it in 10.0.5",
        advisory.published_at,
    )
    await move_base(stores, replace(runtime, version="10.0.5"))
    [found] = (await page(stores, "CVE-2026-2002")).images.items
    assert found.waits_at is Station.IMAGE
    [listed] = (await stores.ledger.cves(Cut())).cves.items
    assert (listed.cve, listed.severity, listed.rated_by) == ("CVE-2026-2002", "critical", "Microsoft")


async def test_of_two_runtimes_in_one_image_each_has_its_fix(stores: Stores) -> None:
    runtimes = tuple(Package("nuget", "Microsoft.NETCore.App", version) for version in ("8.0.29", "10.0.4"))
    await running(stores, *runtimes, base=runtimes)
    await microsoft_says(stores)
    says = (await page(stores, "CVE-2026-2002")).images.items[0].clocks[0].says
    assert sorted(says.removeprefix("Microsoft (.NET) fixed it in ").split(", ")) == ["10.0.5", "8.0.30"]


async def test_an_application_that_brings_its_own_runtime_waits_for_its_own_build(stores: Stores) -> None:
    pack = Package("nuget", "runtimepack.Microsoft.NETCore.App.Runtime.linux-x64", "10.0.4")
    await running(stores, pack, base=(SSL,))
    await microsoft_says(stores)
    [found] = (await page(stores, "CVE-2026-2002")).images.items
    assert (found.waits_at, found.packages) == (Station.IMAGE, (f"{pack.name} 10.0.4",))
    [listed] = (await stores.ledger.cves(Cut())).cves.items
    assert listed.cve == "CVE-2026-2002"


async def test_a_copy_that_is_built_upon_is_waited_for_after_what_was_published(stores: Stores) -> None:
    await running(stores, SSL, base=(SSL,))
    await publish(stores)
    upstream = Base("mcr.example", "dotnet/aspnet", "10.0")
    async with stores.database.transaction() as connection:
        [mirrored] = (await connection.execute(select(bases.c.id))).scalars().all()
        place = {"registry": upstream.registry, "repository": upstream.repository, "tag": upstream.tag}
        row = await connection.execute(
            bases.insert().values(**place, due_at=stores.clock.now()).returning(bases.c.id)
        )
        await connection.execute(update(bases).where(bases.c.id == mirrored).values(upstream_id=row.scalar_one()))
    row_of_image = await only(stores)
    assert (row_of_image.cannot_tell, row_of_image.says) == (
        True,
        f"what {upstream} holds is not known: it was not read yet",
    )
    due = next(each for each in await stores.bases() if each.base == upstream)
    seen = Observation(stores.clock.now(), upstream, digest("c"), "10.0.6", platforms=(shows("c"),))
    await stores.watch.record([Sighting(due.id, Sight.FIRST, seen, stores.clock.now() + HOUR)], {})
    await told(stores, {"c": (FIXED,)})
    stores.clock.advance(HOUR / 60)
    row_of_image = await only(stores)
    assert (row_of_image.waits_at, row_of_image.who) == (Station.MIRROR, "whoever fills mcr.microsoft.com")


async def _see(stores: Stores, base: Base, letter: str, *held: Package) -> None:
    """A base shows this an hour later; what it holds is read where that is told."""
    stores.clock.advance(HOUR)
    due = next(each for each in await stores.bases() if each.base == base)
    sight = Sight.MOVED if due.digest else Sight.FIRST
    seen = Observation(stores.clock.now(), base, digest(letter), "10.0.6", platforms=(shows(letter),))
    await stores.watch.record([Sighting(due.id, sight, seen, stores.clock.now() + HOUR)], {})
    if held:
        await told(stores, {letter: held})


async def test_a_copy_has_the_fix_since_it_shows_what_was_published_before(stores: Stores) -> None:
    await running(stores, SSL, base=(SSL,))
    await publish(stores)
    upstream = Base("mcr.example", "dotnet/aspnet", "10.0")
    async with stores.database.transaction() as connection:
        place = {"registry": upstream.registry, "repository": upstream.repository, "tag": upstream.tag}
        added = bases.insert().values(**place, due_at=stores.clock.now()).returning(bases.c.id)
        number = (await connection.execute(added)).scalar_one()
        await connection.execute(update(bases).where(bases.c.id != number).values(upstream_id=number))
    await _see(stores, upstream, "b")
    await _see(stores, upstream, "c", FIXED)
    published = stores.clock.now()
    stores.clock.advance(50 * HOUR)
    await _see(stores, ASPNET, "c")
    clocks = (await only(stores)).clocks
    assert [clock.at for clock in clocks[1:3]] == [published, stores.clock.now()]
    assert clocks[2].elsewhere == StationTime(1, 51 * HOUR)


async def test_a_base_that_went_back_and_forth_has_the_fix_since_it_came_again(stores: Stores) -> None:
    await running(stores, SSL, base=(SSL,))
    await publish(stores)
    await _see(stores, ASPNET, "c", FIXED)
    await _see(stores, ASPNET, "b")
    assert (await only(stores)).waits_at is Station.BASE
    await _see(stores, ASPNET, "c")
    row = await only(stores)
    assert (row.waits_at, row.clocks[1].at) == (Station.IMAGE, stores.clock.now())


@pytest.mark.parametrize("place", [1, 4], ids=["base", "image"])
async def test_what_came_after_one_that_nobody_read_has_no_time(stores: Stores, place: int) -> None:
    """The one before may have had the fix, or not."""
    await running(stores, SSL, base=(SSL,))
    await publish(stores)
    if place == 4:
        await move_image(stores, letter="6", is_read=False)
    else:
        await move_base(stores)
    async with stores.database.transaction() as connection:
        unread = inventories.c.read_at.is_(None)
        await connection.execute(update(inventories).where(unread).values(platform="linux/s390x"))
    await _see(stores, ASPNET, "5", FIXED)
    await move_image(stores, FIXED, letter="7")
    clock = (await only(stores)).clocks[place]
    assert (clock.passage, clock.at) == (Passage.PASSED, None)


async def test_what_an_image_showed_before_is_remembered_as_long_as_it_shows_what_came_after(
    stores: Stores,
) -> None:
    """Else a fix that came in was forgotten the next day, and how long that took with it."""
    await running(stores, SSL, base=(SSL,))
    await publish(stores)
    stores.clock.advance(timedelta(days=9))
    await move_base(stores, FIXED)
    for comparison in await stores.taken(stores.inventory.comparisons):
        await stores.inventory.save_comparison(comparison, [], is_complete=True)
    await move_image(stores, FIXED)
    before = await only(stores)
    for _ in range(2):
        await _forget_after(stores, timedelta(days=30))
    after = await only(stores)
    assert after.clocks[4] == before.clocks[4]
    assert before.clocks[4].says == "the image has it"


async def test_what_a_manifest_pins_is_remembered_as_long_as_it_does(stores: Stores) -> None:
    """Else the CVE of what still runs was forgotten once the image had been built twice since."""
    await running(stores, SSL, base=(SSL,), deployed=digest("e"))
    await publish(stores)
    await move_base(stores, FIXED)
    for letter, holds in (("6", SSL), ("7", FIXED), ("8", FIXED)):
        await move_image(stores, holds, letter=letter)
    before = await only(stores)
    assert before.says == "not deployed: contoso/shop/Dockerfile:1"
    await _forget_after(stores, timedelta(days=30))
    after = await only(stores)
    assert (after.says, after.clocks[4].at) == (before.says, before.clocks[4].at)
    async with stores.database.transaction() as connection:
        await connection.execute(update(deployments).values(digest=None))
    await _forget_after(stores, timedelta(days=2))
    assert (await page(stores)).images.items == (), "the image is run by its tag since"


async def _forget_after(stores: Stores, time: timedelta) -> None:
    stores.clock.advance(time)
    task = await stores.retention.claim_forgetting()
    assert task is not None
    await stores.retention.forget(task, timedelta(days=400))


async def test_rebuilds_tell_how_long_images_take_once_nobody_remembers_what_those_held(stores: Stores) -> None:
    """All that had the CVE were built twice since, but for one: people want to know what that takes."""
    await running(stores, SSL, base=(SSL,))
    await publish(stores)
    await move_base(stores, FIXED)
    moved_at = stores.clock.now()
    assert (await only(stores)).clocks[4].elsewhere is None
    await stores.assess_all()
    await stores.plan_all()
    for state, took in ((RebuildState.SUCCEEDED, 5 * HOUR), (RebuildState.BUILT, 9 * HOUR)):
        async with stores.database.transaction() as connection:
            await connection.execute(update(rebuilds).values(state=state.value, built_at=moved_at + took))
        stores.clock.advance(HOUR)
        found = (await only(stores)).clocks[4].elsewhere
        assert found == (StationTime(1, took, of_rebuilds=True) if state is RebuildState.SUCCEEDED else None)


async def test_of_what_was_never_read_nothing_is_remembered_once_it_is_shown_no_longer(stores: Stores) -> None:
    """Without its layers it would be read as holding nothing."""
    await running(stores, SSL)
    await publish(stores)
    await move_image(stores, letter="f", is_read=False)
    await move_image(stores, SSL, letter="7", is_read=False)
    await _forget_after(stores, timedelta(days=9))
    waiting = await stores.taken(stores.inventory.inventories(["linux/amd64"]))
    assert digest("f") not in [each.digest for each in waiting]
