"""Azure Linux is told by its OVAL and by OSV: each counts, and a source that stands still is told beside both."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.domain.feeds.advisory import Severity
from bot.domain.packages.cves.publication import CvePublication, DumpMark
from bot.domain.packages.cves.vulnerability import AffectedPackage, VersionRange, Vulnerability
from bot.domain.packages.package import Distribution, Package
from bot.fleet.watch.vulnerabilities.tick import KeptDump
from bot.upstream.osv.addresses import DumpSource
from bot.upstream.osv.dump import DumpReading
from bot.views.paging import Cut
from tests.integration.store.filling import HOUR, Stores
from tests.integration.store.holding import running

OVAL = DumpSource(CvePublication.AZURE_LINUX_3_OVAL, "https://oval.example/azurelinux-3.0-oval.xml")
OSV = DumpSource(CvePublication.AZURE_LINUX, "https://osv.example/Azure%20Linux/all.zip")
AZURE = Distribution("azurelinux", "3.0")
ZLIB = Package("rpm", "zlib", "1.3.1-1.azl3", "x86_64", "zlib", "1.3.1-1.azl3")
CVE = "CVE-2026-1001"
STILL = AffectedPackage("rpm", "zlib", "Azure Linux:3", (VersionRange(last_affected="1.3.1-1"),))
MENDED = replace(STILL, ranges=(VersionRange(fixed="1.3.1-2.azl3"),))


async def say(
    stores: Stores,
    said: dict[DumpSource, AffectedPackage | None],
    newest_at: dict[DumpSource, datetime] | None = None,
) -> None:
    """Both are read: each says that, or nothing."""
    await stores.vulnerabilities.follow_dumps(list(said))
    stores.clock.advance(6 * HOUR)
    wanted = await stores.vulnerabilities.wanted_packages()
    for due in await stores.taken(stores.vulnerabilities.dumps):
        affected = said[due.source]
        records = () if affected is None else (_record(affected),)
        times = newest_at or {}
        reading = DumpReading(records, (), 1, newest_at=times.get(due.source, stores.clock.now()))
        kept = KeptDump(due.source, DumpMark('"v1"'), wanted, reading)
        await stores.vulnerabilities.keep_dump(kept, stores.clock.now() + 6 * HOUR)


def _record(affected: AffectedPackage) -> Vulnerability:
    return Vulnerability("AZL-1", (CVE,), "overflow", Severity.HIGH, "Azure Linux", affected=(affected,))


@pytest.mark.parametrize(
    ("said", "publishers"),
    [
        ({OVAL: MENDED, OSV: None}, ("Azure Linux 3 OVAL",)),
        ({OVAL: None, OSV: STILL}, ("Azure Linux",)),
        ({OVAL: MENDED, OSV: STILL}, ("Azure Linux 3 OVAL", "Azure Linux")),
    ],
    ids=["OVAL alone", "OSV alone", "both"],
)
async def test_what_either_tells_counts_where_the_other_is_silent(
    stores: Stores, said: dict[DumpSource, AffectedPackage | None], publishers: tuple[str, ...]
) -> None:
    await running(stores, ZLIB, distribution=AZURE)
    await say(stores, said)
    page = await stores.ledger.cve(CVE, Cut(1, 10))
    assert page is not None
    assert set(page.cve.publishers) == set(publishers)
    [image] = page.images.items
    assert image.packages == ("zlib 1.3.1-1.azl3",)
    assert image.state != "fixed"


async def test_a_fix_that_one_of_them_knows_counts_with_its_name_and_the_difference_is_told(stores: Stores) -> None:
    await running(stores, ZLIB, distribution=AZURE)
    await say(stores, {OVAL: MENDED, OSV: STILL})
    page = await stores.ledger.cve(CVE, Cut(1, 10))
    assert page is not None
    [image] = page.images.items
    assert image.clocks[0].says == "Azure Linux 3 OVAL fixed it in 1.3.1-2.azl3"
    assert page.notes == (
        "AZL-1 is told in different ways of zlib: not fixed, up to 1.3.1-1 by Azure Linux, "
        "fixed in 1.3.1-2.azl3 by Azure Linux 3 OVAL; each counts",
    )


async def test_a_source_that_stands_still_is_told_until_it_goes_on(stores: Stores) -> None:
    await running(stores, ZLIB, distribution=AZURE)
    long_ago = stores.clock.now() - timedelta(days=30)
    told = f"the OSV data of Azure Linux has told nothing new since {long_ago:%Y-%m-%d}"
    await say(stores, {OVAL: MENDED, OSV: MENDED}, {OSV: long_ago})
    page = await stores.ledger.cve(CVE, Cut(1, 10))
    assert page is not None
    assert (page.gaps, page.notes) == ((), (told,))
    [incident] = (await stores.fleet_views.status()).incidents
    assert incident.subject == "source:the OSV data of Azure Linux"
    assert incident.detail.startswith(told)
    assert (await stores.doctor.newest_times())["Azure Linux"] == long_ago
    await say(stores, {OVAL: MENDED, OSV: MENDED})
    assert (await stores.fleet_views.status()).incidents == ()


async def test_where_all_stand_still_nobody_can_tell(stores: Stores) -> None:
    await running(stores, ZLIB, distribution=AZURE)
    long_ago = stores.clock.now() - timedelta(days=30)
    await say(stores, {OVAL: None, OSV: None}, {OVAL: long_ago, OSV: long_ago})
    assert await stores.ledger.gaps() == (
        f"the OSV data of Azure Linux has told nothing new since {long_ago:%Y-%m-%d}",
        f"the OVAL of Azure Linux 3 has told nothing new since {long_ago:%Y-%m-%d}",
    )
