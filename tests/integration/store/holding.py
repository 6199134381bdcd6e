"""Repositories whose images, and the bases below them, hold packages."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.bases.observation import Observation, PlatformImage, Sight
from bot.domain.evidence import Strength
from bot.domain.feeds.advisory import Advisory, Evidence, Severity
from bot.domain.images.claims import Claim, Source, TagRule
from bot.domain.images.image import SeenImage
from bot.domain.images.standing import Basis, ImageStanding, Publication
from bot.domain.packages.cves.publication import CvePublication, DumpMark
from bot.domain.packages.cves.vulnerability import AffectedPackage, VersionRange, Vulnerability
from bot.domain.packages.package import Distribution, Inventory, Package, Sbom, SbomOrigin
from bot.domain.reference import Reference
from bot.domain.repositories.repository import Reading, Repository
from bot.fleet.verify.images.ports import Look
from bot.fleet.watch.registry.ports import Sighting
from bot.fleet.watch.vulnerabilities.tick import KeptDump
from bot.images.packages.layers.layer import LayerContents
from bot.store.engine.codec import dump
from bot.store.rows.bases.tables import advisories
from bot.upstream.osv.addresses import DumpSource
from bot.upstream.osv.dump import DumpReading
from bot.upstream.osv.record import WantedPackages
from tests.integration.store.filling import ASPNET, HOUR, Stores, digest, usage_of

AMD64 = ["linux/amd64"]
NOBLE = Distribution("ubuntu", "24.04")
SSL = Package("deb", "libssl3t64", "3.0.13-0ubuntu3.5", "amd64", "openssl", "3.0.13-0ubuntu3.5")
FIXED = replace(SSL, version="3.0.13-0ubuntu3.6", source_version="3.0.13-0ubuntu3.6")
CVE = "CVE-2026-1001"
SOURCE = DumpSource(CvePublication.UBUNTU, "/srv/ubuntu.zip")
WANTED = WantedPackages(frozenset({"Ubuntu:24.04"}), frozenset({"openssl", "libssl3t64", "libssl-doc"}))
UNFIXED = AffectedPackage("deb", "openssl", "Ubuntu:24.04", (VersionRange(),))
OPENSSL = replace(UNFIXED, ranges=(VersionRange(fixed=str(FIXED.version)),))


def shows(letter: str, platform: str = "linux/amd64") -> PlatformImage:
    return PlatformImage(platform, digest(letter), layers=(digest(letter),))


async def told(
    stores: Stores,
    packages: dict[str, tuple[Package, ...]],
    problems: tuple[str, ...] = (),
    distribution: Distribution = NOBLE,
    platforms: Collection[str] = AMD64,
) -> None:
    """What waits to be read holds these packages, by the letter of its digest."""
    for layer in await stores.taken(stores.inventory.layers(platforms)):
        await stores.inventory.save_layer(layer, LayerContents(diff_id=layer.digest), None)
    for each in await stores.taken(stores.inventory.inventories(platforms)):
        found = Inventory(packages[each.digest.rpartition(":")[2][0]], distribution, problems)
        await stores.inventory.save_inventory(each, found)


async def running(
    stores: Stores,
    *held: Package,
    base: tuple[Package, ...] = (),
    image: str = "d",
    deployed: str | None = None,
    distribution: Distribution = NOBLE,
) -> None:
    """A repository whose image holds these packages and stands on a base that now shows `base`; it runs the image
    by its tag, or by the digest `deployed`."""
    await stores.listing(Repository("contoso/shop", "main"))
    claim = Claim("ghcr.io/contoso/shop", TagRule("latest"), Source.BUILD)
    named = Reference("ghcr.io/contoso/shop", "latest", deployed)
    place = replace(usage_of(ASPNET), reference=named)
    await stores.read(Reading("tree-1", ((usage_of(ASPNET), ASPNET),), images=(claim,), deployed=(place,)))
    now = stores.clock.now()
    [due] = await stores.bases()
    seen = Observation(now, ASPNET, digest("a"), "10.0.5", platforms=(shows("b"),))
    await stores.watch.record([Sighting(due.id, Sight.FIRST, seen, now + HOUR)], {})
    [row] = await stores.taken(stores.images.images)
    publication = Publication(ASPNET, now, digest("9"), "linux/amd64", digest("8"), now)
    standing = ImageStanding("linux/amd64", Strength.PROVED, Basis.LAYERS, (publication,), 2)
    look = Look("latest", SeenImage(digest("e"), (shows(image),)), (standing,))
    await stores.images.keep_look(row, look)
    await told(stores, {image: held, "b": base}, distribution=distribution)


async def move_base(stores: Stores, *packages: Package, distribution: Distribution = NOBLE) -> None:
    """The base shows another image, which holds these; it is not read where there are none."""
    stores.clock.advance(HOUR)
    now = stores.clock.now()
    [due] = await stores.bases()
    seen = Observation(now, ASPNET, digest("b"), "10.0.6", platforms=(shows("c"),))
    await stores.watch.record([Sighting(due.id, Sight.MOVED, seen, now + HOUR)], {})
    if packages:
        await told(stores, {"c": packages}, distribution=distribution)


async def move_image(stores: Stores, *packages: Package, letter: str = "f", is_read: bool = True) -> None:
    """The image was built again on what the base shows, and holds these."""
    stores.clock.advance(25 * HOUR)
    now = stores.clock.now()
    [row] = await stores.taken(stores.images.images)
    publication = Publication(ASPNET, now, digest("b"), "linux/amd64", digest("c"))
    standing = ImageStanding("linux/amd64", Strength.PROVED, Basis.LAYERS, (publication,), 2)
    await stores.images.keep_look(row, Look("latest", SeenImage(digest(letter), (shows(letter),)), (standing,)))
    if is_read:
        await told(stores, {letter: packages})


async def publish(stores: Stores, affected: AffectedPackage = OPENSSL, cve: str = CVE) -> None:
    """Ubuntu's dump says this and nothing else."""
    await stores.vulnerabilities.follow_dumps([SOURCE])
    stores.clock.advance(6 * HOUR)
    await stores.taken(stores.vulnerabilities.dumps)
    record = Vulnerability(f"UBUNTU-{cve}", (cve,), "overflow", Severity.HIGH, "Ubuntu", affected=(affected,))
    kept = KeptDump(SOURCE, DumpMark("1"), WANTED, DumpReading((record,)))
    await stores.vulnerabilities.keep_dump(kept, stores.clock.now() + HOUR)


async def microsoft_says(stores: Stores) -> Advisory:
    """An advisory of .NET says that its runtime is affected."""
    advisory = Advisory(
        "CVE-2026-2002",
        "a leak",
        Severity.CRITICAL,
        published_at=stores.clock.now(),
        families=frozenset({"runtime"}),
        fixed_versions=("8.0.30", "10.0.5", "10.0.105"),
        evidence=(Evidence("msrc", "2026-Mar", stores.clock.now()),),
    )
    async with stores.database.transaction() as connection:
        row = {"source": "msrc", "cve": advisory.cve, "advisory": dump(advisory, Advisory)}
        await connection.execute(advisories.insert().values(**row))
    return advisory


def sbom(*packages: Package, strength: Strength = Strength.CLAIMED, document: str = "1") -> Sbom:
    return Sbom(digest(document), SbomOrigin.REFERRER, strength, "not signed", Inventory(packages))


async def asked(stores: Stores, *found: Sbom) -> None:
    """The registry of every image whose builds had the time shows these."""
    stores.clock.advance(timedelta(minutes=5))
    for look in await stores.taken(stores.sboms.looks(AMD64)):
        await stores.sboms.save_sboms(look, found, None)


async def promoting(stores: Stores, *held: Package) -> None:
    """A repository whose image `latest` is promoted to `prod`; both show a build that holds these packages."""
    await stores.listing(Repository("contoso/shop", "main"))
    claims = tuple(Claim("ghcr.io/contoso/shop", TagRule(tag), Source.BUILD) for tag in ("latest", "prod"))
    await stores.read(Reading("tree-1", ((usage_of(ASPNET), ASPNET),), images=claims))
    for row in await stores.taken(stores.images.images):
        await stores.images.keep_look(row, Look(row.claim.tag.text, SeenImage(digest("d"), (shows("d"),)), ()))
    await told(stores, {"d": held})


async def looks_at(stores: Stores, tag: str, letter: str, *held: Package) -> datetime:
    """A day later the tag shows the image of that letter, whose packages are read where they are told, and others
    what they did; when."""
    stores.clock.advance(25 * HOUR)
    for row in await stores.taken(stores.images.images):
        if row.claim.tag.text == tag:
            await stores.images.keep_look(row, Look(tag, SeenImage(digest(letter), (shows(letter),)), ()))
        else:
            await stores.images.record_unmoved([row], stores.clock.now() + HOUR)
    if held:
        await told(stores, {letter: held})
    return stores.clock.now()
