"""Which images hold a package, and which base brings another version."""

from dataclasses import replace

import pytest
from sqlalchemy import Table, update

from bot.domain.feeds.advisory import Severity
from bot.domain.images.claims import Claim, Source, TagRule
from bot.domain.images.image import SeenImage
from bot.domain.packages.cves.publication import CvePublication, DumpMark
from bot.domain.packages.cves.vulnerability import AffectedPackage, Ecosystem, VersionRange, Vulnerability
from bot.domain.packages.package import Distribution, Package
from bot.domain.packages.wanted import WantedPackage
from bot.domain.reference import Reference
from bot.domain.repositories.repository import Reading, Repository
from bot.fleet.verify.images.ports import Look
from bot.fleet.watch.vulnerabilities.tick import KeptDump
from bot.store.rows.images.images import images
from bot.store.rows.inventories.inventories import inventories
from bot.upstream.osv.addresses import DumpSource
from bot.upstream.osv.dump import DumpReading
from bot.views.images.inventory import FixSource, FoundPackages
from tests.integration.store.filling import ASPNET, HOUR, Stores, digest, usage_of
from tests.integration.store.holding import AMD64, FIXED, SSL, publish, running, shows, told

SERILOG = Package("nuget", "Serilog", "4.0.0")
WANTED = WantedPackage("openssl", "deb", ("3.0.13-0ubuntu3.6",))


async def find(stores: Stores, wanted: WantedPackage = WANTED) -> FoundPackages:
    return await stores.packages.find([wanted], AMD64)


async def test_an_image_is_found_by_what_it_holds_with_all_that_is_asked_of_it(stores: Stores) -> None:
    await running(stores, SSL, SERILOG, base=(FIXED,))
    answer = await find(stores)
    [found] = answer.found
    assert (found.image, found.repository, found.platforms) == (
        "ghcr.io/contoso/shop:latest",
        "contoso/shop",
        ("linux/amd64",),
    )
    assert (found.package, found.since) == (replace(SSL, architecture=None), stores.clock.now())
    assert [str(place) for place in found.deployed] == ["contoso/shop/Dockerfile:1"]
    assert (found.fix.state, str(found.fix)) == (FixSource.BASE, f"{ASPNET}@{digest('a')}")
    assert (answer.not_known, answer.gaps) == (0, ())


async def test_of_a_fleet_without_images_it_is_said_that_not_all_is_known(stores: Stores) -> None:
    answer = await find(stores)
    assert (answer.found, answer.not_known) == ((), 0)
    assert [gap.partition(" (")[0] for gap in answer.gaps] == ["no image of the fleet is known yet"]


@pytest.mark.parametrize("table", [images, inventories], ids=["standings", "distributions"])
async def test_rows_that_cannot_be_read_hide_no_image_and_their_base_is_not_known(
    stores: Stores, table: Table
) -> None:
    await running(stores, SSL, base=(FIXED,))
    await publish(stores)
    affected = await stores.packages.affected(CVE)
    assert affected is not None
    spoilt = {"standings": [7]} if table is images else {"distribution": [7]}
    async with stores.database.transaction() as connection:
        await connection.execute(update(table).values(**spoilt))
    [found] = (await find(stores)).found
    assert found.fix.state is FixSource.UNKNOWN
    [found] = (await stores.packages.find(affected, AMD64)).found
    assert found.is_certain == (table is images), "nobody can tell of which release it is"


async def test_a_base_that_has_no_fix_yet_is_waited_for(stores: Stores) -> None:
    await running(stores, SSL, base=(SSL,))
    [found] = (await find(stores)).found
    assert (found.fix.state, found.fix.base) == (FixSource.AWAITED, str(ASPNET))


async def test_what_the_image_brings_itself_no_base_fixes(stores: Stores) -> None:
    await running(stores, SERILOG, base=(FIXED,))
    [found] = (await find(stores, WantedPackage("Serilog"))).found
    assert found.fix.state is FixSource.OWN


async def test_the_case_of_a_name_does_not_count_for_nuget(stores: Stores) -> None:
    await running(stores, SERILOG, SSL)
    for wanted in (WantedPackage("serilog"), WantedPackage("SERILOG", "nuget", ("4.0.1",))):
        assert [each.package.name for each in (await find(stores, wanted)).found] == ["Serilog"]
    assert (await find(stores, WantedPackage("serilog", "nuget", ("4.0.0",)))).found == ()
    assert (await find(stores, WantedPackage("serilog", "deb"))).found == ()
    assert (await find(stores, WantedPackage("OpenSSL"))).found == (), "it does for dpkg"


async def test_a_package_of_nuget_is_found_by_each_spelling_of_its_name(stores: Stores) -> None:
    """One producer of SBOMs writes it as its author does, another in lower case."""
    await running(stores, SERILOG, replace(SERILOG, name="serilog", version="3.0.0"), SSL)
    for name in ("serilog", "Serilog", "SERILOG"):
        found = (await find(stores, WantedPackage(name))).found
        assert [(each.package.name, each.package.version) for each in found] == [
            ("Serilog", "4.0.0"),
            ("serilog", "3.0.0"),
        ]
    both = [WantedPackage("serilog", below=(version,)) for version in ("3.0.1", "4.0.1")]
    assert len((await stores.packages.find(both, AMD64)).found) == 2


async def test_what_is_fixed_or_of_another_type_is_not_found(stores: Stores) -> None:
    await running(stores, FIXED, base=(FIXED,))
    assert await find(stores) == FoundPackages(())
    assert await find(stores, WantedPackage("openssl", "rpm")) == FoundPackages(())


async def test_a_chiseled_image_names_no_source_packages_and_is_found_by_them_all_the_same(stores: Stores) -> None:
    """What is built from a source package is known from images that name it."""
    chiseled = replace(SSL, source=None, source_version=None)
    await running(stores, chiseled, base=(chiseled, replace(FIXED, architecture="arm64")))
    [found] = (await find(stores)).found
    assert (found.package.name, found.fix.state) == (SSL.name, FixSource.AWAITED)
    assert (await find(stores, WantedPackage("openssl", "deb", (str(SSL.version),)))).found == ()


async def test_an_image_that_is_not_read_is_counted_as_not_known(stores: Stores) -> None:
    await stores.listing(Repository("contoso/shop", "main"))
    claim = Claim("ghcr.io/contoso/shop", TagRule("latest"), Source.BUILD)
    await stores.read(Reading("tree-1", ((usage_of(ASPNET), ASPNET),), images=(claim,)))
    assert await find(stores) == FoundPackages((), not_known=1)
    [row] = await stores.taken(stores.images.images)
    await stores.images.keep_look(row, Look("latest", SeenImage(digest("e"), (shows("d"),)), ()))
    assert await find(stores) == FoundPackages((), not_known=1)
    await told(stores, {"d": ()}, problems=("a database is damaged",))
    assert await find(stores) == FoundPackages((), not_known=1)


CVE = "CVE-2026-1001"
MUSL = Package("apk", "libcrypto3", "3.3.1-r0", "x86_64", "openssl", "3.3.1-r0")
AZURE = Package("rpm", "openssl-libs", "3.3.0-1.azl3", "x86_64", "openssl", "3.3.0-1.azl3")


async def says(stores: Stores, ecosystem: Ecosystem, *affected: AffectedPackage) -> None:
    """A publisher's dump has one record of a CVE."""
    source = DumpSource(CvePublication(ecosystem), "/srv/dump.zip")
    await stores.vulnerabilities.follow_dumps([source])
    await stores.taken(stores.vulnerabilities.dumps)
    record = Vulnerability("USN-1-1", (CVE,), "overflow", Severity.HIGH, "Ubuntu", affected=affected)
    wanted = await stores.vulnerabilities.wanted_packages()
    kept = KeptDump(source, DumpMark("1"), wanted, DumpReading((record,)))
    await stores.vulnerabilities.keep_dump(kept, stores.clock.now() + HOUR)


@pytest.mark.parametrize(
    ("package", "distribution", "ecosystem", "release", "fixed"),
    [
        (SSL, Distribution("ubuntu", "24.04"), Ecosystem.UBUNTU, "Ubuntu:24.04", "3.0.13-0ubuntu3.6"),
        (MUSL, Distribution("alpine", "3.20.3"), Ecosystem.ALPINE, "Alpine:v3.20", "3.3.2-r0"),
        (AZURE, Distribution("azurelinux", "3.0"), Ecosystem.AZURE_LINUX, "Azure Linux:3", "3.3.0-2.azl3"),
    ],
)
async def test_what_a_publisher_says_is_affected_is_found_in_images_of_its_release(
    stores: Stores, package: Package, distribution: Distribution, ecosystem: Ecosystem, release: str, fixed: str
) -> None:
    newer = replace(package, version=fixed, source_version=fixed)
    await running(stores, package, base=(newer,), distribution=distribution)
    affected = AffectedPackage(package.type, "openssl", release, (VersionRange(fixed=fixed),))
    await says(stores, ecosystem, affected)
    for asked in (CVE, "USN-1-1"):
        wanted = await stores.packages.affected(asked)
        assert wanted is not None
        [found] = (await stores.packages.find(wanted, AMD64)).found
        assert (found.package.version, found.is_certain, found.fix.state) == (package.version, True, FixSource.BASE)


async def test_the_same_version_in_another_release_is_another_package(stores: Stores) -> None:
    await running(stores, SSL, base=(SSL,))
    ranges = (VersionRange(fixed="3.0.13-0ubuntu3.6"),)
    await says(stores, Ecosystem.UBUNTU, AffectedPackage("deb", "openssl", "Ubuntu:22.04", ranges))
    wanted = await stores.packages.affected(CVE)
    assert wanted
    assert await stores.packages.find(wanted, AMD64) == FoundPackages(())


async def test_a_cve_of_which_nothing_is_held_is_known_all_the_same(stores: Stores) -> None:
    await running(stores, FIXED)
    ranges = (VersionRange(fixed="3.0.13-0ubuntu3.6"),)
    await says(stores, Ecosystem.UBUNTU, AffectedPackage("deb", "openssl", "Ubuntu:24.04", ranges))
    assert await stores.packages.affected(CVE) == ()
    assert await stores.packages.find((), AMD64) == FoundPackages(())
    assert await stores.packages.affected("CVE-2026-9999") is None


async def test_tags_of_one_name_are_run_where_their_tag_or_their_digest_is_named(stores: Stores) -> None:
    await stores.listing(Repository("contoso/shop", "main"))
    name = "ghcr.io/contoso/shop"
    claims = tuple(Claim(name, TagRule(tag), Source.BUILD) for tag in ("latest", "ten"))
    named = {
        "a": Reference(name, "latest"),
        "b": Reference(name, "ten", digest("9")),
        "c": Reference(name, None, digest("f")),
        "d": Reference(name, "other", digest("f")),
        "e": Reference(name),
        "f": Reference(name, "other"),
    }
    places = tuple(replace(usage_of(ASPNET, path), reference=each) for path, each in named.items())
    await stores.read(Reading("tree-1", ((usage_of(ASPNET), ASPNET),), images=claims, deployed=places))
    for row, letter in zip(await stores.taken(stores.images.images), "ef", strict=True):
        look = Look(row.claim.tag.text, SeenImage(digest(letter), (shows(letter),)), ())
        await stores.images.keep_look(row, look)
    await told(stores, {"e": (SSL,), "f": (SSL,)})
    run_at = {found.image: [place.path for place in found.deployed] for found in (await find(stores)).found}
    assert run_at == {f"{name}:latest": ["a", "e", "f"], f"{name}:ten": ["b", "c", "d", "f"]}


async def test_images_of_one_name_follow_each_other_as_they_became_known(stores: Stores) -> None:
    """Whatever the database tells first; here that which holds what was read first."""
    await stores.listing(Repository("contoso/shop", "main"))
    tags = TagRule("latest"), TagRule("ten")
    claims = tuple(Claim("ghcr.io/contoso/shop", tag, Source.BUILD) for tag in tags)
    await stores.read(Reading("tree-1", ((usage_of(ASPNET), ASPNET),), images=claims))
    for row, letter in zip(reversed(await stores.taken(stores.images.images)), "ef", strict=True):
        await stores.images.keep_look(row, Look("latest", SeenImage(digest(letter), (shows(letter),)), ()))
    await told(stores, {"e": (SSL,), "f": (replace(SSL, version="3.0.13-0ubuntu3.4"),)})
    found = (await find(stores, WantedPackage("openssl"))).found
    assert [(each.image, each.digest) for each in found] == [
        ("ghcr.io/contoso/shop:latest", digest(letter)) for letter in "fe"
    ]
