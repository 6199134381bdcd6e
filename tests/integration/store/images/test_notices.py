"""Which notices came with the new packages of a base."""

import pytest

from bot.domain.packages.changes import Direction, PackageChange
from bot.domain.packages.dump import DumpMark
from bot.domain.packages.package import Package
from bot.domain.packages.vulnerability import AffectedPackage, Ecosystem, VersionRange, Vulnerability
from bot.watch.osv.dump import DumpReading
from bot.watch.osv.stage import DumpSource, KeptDump
from tests.integration.store.filling import ASPNET, HOUR, Stores
from tests.integration.store.holding import FIXED, SSL, move_base, running
from tests.integration.store.moving import opened

UBUNTU = DumpSource(Ecosystem.UBUNTU, "/srv/ubuntu.zip")
BEFORE, AFTER = str(SSL.version), str(FIXED.version)


async def moved(stores: Stores, before: Package = SSL, after: Package = FIXED) -> None:
    """The base brought another OpenSSL."""
    await running(stores, before, base=(before,))
    stores.clock.advance(HOUR)
    await move_base(stores, after)
    await stores.assess_all()
    [comparison] = await stores.taken(stores.inventory.comparisons)
    change = PackageChange("deb", after.name, "amd64", before.version, after.version, Direction.UP)
    await stores.inventory.save_comparison(comparison, [change], is_complete=True)


async def says(
    stores: Stores, name: str, fixed: str = AFTER, release: str = "Ubuntu:24.04", introduced: str = ""
) -> None:
    await stores.vulnerabilities.follow_dumps([UBUNTU])
    await stores.taken(stores.vulnerabilities.dumps)
    affected = AffectedPackage("deb", "openssl", release, (VersionRange(introduced, fixed),))
    record = Vulnerability(name, ("CVE-2026-1001",), affected=(affected,))
    wanted = await stores.vulnerabilities.wanted_packages()
    kept = KeptDump(UBUNTU, DumpMark("1"), wanted, DumpReading((record,)))
    await stores.vulnerabilities.keep_dump(kept, stores.clock.now() + HOUR)


async def notices(stores: Stores) -> list[tuple[str, ...]]:
    [(_, platforms)] = await stores.base_views.changes_of(str(ASPNET))
    return [change.notices for each in platforms for change in each.changes or ()]


async def test_the_notice_of_a_fix_that_a_base_brought_stands_beside_its_package(stores: Stores) -> None:
    await moved(stores)
    assert await notices(stores) == [()]
    await says(stores, "USN-7278-1")
    assert await notices(stores) == [("USN-7278-1",)]
    page = await stores.base_pages.base(str(ASPNET))
    assert page is not None
    assert page.changes[0].packages_told == f"only libssl3t64 {BEFORE} → {AFTER} (USN-7278-1)"


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("UBUNTU-CVE-2026-1001", {}),
        ("USN-7278-1", {"fixed": "3.0.13-0ubuntu3.7"}),
        ("USN-7278-1", {"fixed": BEFORE}),
        ("USN-7278-1", {"release": "Ubuntu:22.04"}),
        ("USN-7278-1", {"introduced": AFTER, "fixed": "3.0.13-0ubuntu3.9"}),
    ],
    ids=["no notice", "not fixed yet", "fixed before", "another release", "not affected before"],
)
async def test_what_did_not_come_with_the_change_does_not(
    stores: Stores, name: str, values: dict[str, str]
) -> None:
    await moved(stores)
    await says(stores, name, **values)
    assert await notices(stores) == [()]


@pytest.mark.parametrize(
    ("name", "fixed", "is_due"),
    [
        ("USN-7278-1", AFTER, True),
        ("USN-7278-1", "3.0.13-0ubuntu3.1", False),
        ("UBUNTU-CVE-2026-1001", AFTER, False),
    ],
    ids=["a notice of the fix", "a notice of an earlier fix", "no notice"],
)
async def test_an_open_pull_request_names_a_notice_that_comes_late(
    stores: Stores, name: str, fixed: str, is_due: bool
) -> None:
    await moved(stores)
    await stores.plan_all()
    await opened(stores)
    assert await stores.jobs() == []
    await says(stores, name, fixed)
    told = [
        [each.notices for each in platform.changes or ()]
        for job in await stores.jobs()
        for platform in job.packages[ASPNET]
    ]
    assert told == ([[("USN-7278-1",)]] if is_due else [])
