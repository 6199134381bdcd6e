"""Which notices came with the new packages of a base."""

import pytest

from bot.domain.packages.changes import Direction, PackageChange
from bot.domain.packages.cves.publication import CvePublication, DumpMark
from bot.domain.packages.cves.vulnerability import (
    AffectedPackage,
    Ecosystem,
    VersionRange,
    Vulnerability,
    release_of,
)
from bot.domain.packages.package import Distribution, Package
from bot.fleet.watch.vulnerabilities.tick import KeptDump
from bot.upstream.osv.addresses import DumpSource
from bot.upstream.osv.dump import DumpReading
from tests.integration.store.filling import ASPNET, HOUR, Stores
from tests.integration.store.holding import FIXED, NOBLE, SSL, move_base, running
from tests.integration.store.moving import opened

UBUNTU = DumpSource(CvePublication.UBUNTU, "/srv/ubuntu.zip")
BEFORE, AFTER = str(SSL.version), str(FIXED.version)


async def moved(
    stores: Stores, before: Package = SSL, after: Package = FIXED, distribution: Distribution = NOBLE
) -> None:
    """The base brought another OpenSSL."""
    await running(stores, before, base=(before,), distribution=distribution)
    stores.clock.advance(HOUR)
    await move_base(stores, after, distribution=distribution)
    await stores.assess_all()
    [comparison] = await stores.taken(stores.inventory.comparisons)
    change = PackageChange(after.type, after.name, "amd64", before.version, after.version, Direction.UP)
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
    stores.clock.advance(HOUR)
    await says(stores, "UBUNTU-CVE-2026-1", "3.0.13-0ubuntu3.1")
    await stores.plan_all()
    await opened(stores)
    assert await stores.jobs() == []
    stores.clock.advance(2 * HOUR)
    await says(stores, name, fixed)
    told = [
        [each.notices for each in platform.changes or ()]
        for job in await stores.jobs()
        for platform in job.packages[ASPNET]
    ]
    assert told == ([[("USN-7278-1",)]] if is_due else [])


@pytest.mark.parametrize(
    ("name", "ecosystem", "distribution", "kind", "versions"),
    [
        (
            "ALPINE-CVE-2026-1001",
            Ecosystem.ALPINE,
            Distribution("alpine", "3.20.3"),
            "apk",
            ("3.3.2-r0", "3.3.2-r1"),
        ),
        ("AZL-52034", Ecosystem.AZURE_LINUX, Distribution("azurelinux", "3.0"), "rpm", ("3.3.2-1", "3.3.2-2")),
    ],
    ids=["Alpine", "Azure Linux"],
)
async def test_a_publisher_that_names_no_notices_has_its_cves_beside_the_package(
    stores: Stores,
    name: str,
    ecosystem: Ecosystem,
    distribution: Distribution,
    kind: str,
    versions: tuple[str, str],
) -> None:
    before, after = (Package(kind, "libssl3", version, "amd64", "openssl", version) for version in versions)
    await moved(stores, before, after, distribution)
    await stores.plan_all()
    await opened(stores)
    assert await stores.jobs() == []
    source = DumpSource(CvePublication(ecosystem), "/srv/dump.zip")
    await stores.vulnerabilities.follow_dumps([source])
    await stores.taken(stores.vulnerabilities.dumps)
    release = str(release_of(distribution))
    affected = AffectedPackage(kind, "openssl", release, (VersionRange("", after.version),))
    record = Vulnerability(name, ("CVE-2026-1001", "CVE-2026-1002"), affected=(affected,))
    kept = KeptDump(source, DumpMark("1"), await stores.vulnerabilities.wanted_packages(), DumpReading((record,)))
    await stores.vulnerabilities.keep_dump(kept, stores.clock.now() + HOUR)
    assert await notices(stores) == [("CVE-2026-1001", "CVE-2026-1002")]
    assert len(await stores.jobs()) == 1, "the open pull request names them too"
