"""What is in one image: its packages and its CVEs, as its page asks for them."""

from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import insert, select, update

from bot.domain.feeds.advisory import Severity
from bot.domain.images.standing import ImageState
from bot.domain.packages.ledger.clocks import Station
from bot.domain.packages.package import Package
from bot.store.engine.queue.claiming import Worker
from bot.store.pages.images.contents import ImageContentsStore
from bot.store.pages.images.images import ImagePagesStore
from bot.store.rows.images.images import images
from bot.store.rows.inventories.inventories import image_inventories, inventories, inventory_packages, layers, sboms
from bot.store.rows.inventories.read_inventories import package_ids
from bot.store.rows.inventories.vulnerabilities import (
    affected_packages,
    dumps,
    exposures,
    vulnerabilities,
    vulnerability_cves,
)
from bot.store.rows.repositories.tables import repositories
from bot.views.images.image_contents import ImageCves, ImagePackages, Origin, PackageFilter, WantedCves
from bot.views.images.image_pages import PlatformPackages
from bot.views.images.inventory import ShownBy
from bot.views.paging import Cut
from tests.integration.store.filling import Stores, digest
from tests.integration.store.holding import (
    CVE,
    FIXED,
    SSL,
    asked,
    move_base,
    move_image,
    publish,
    running,
    sbom,
)
from tests.integration.store.statements import statements

SHOP = "ghcr.io/contoso/shop"
SERILOG = Package("nuget", "Serilog", "4.3.0")


async def cves(stores: Stores, tag: str | None = None) -> ImageCves:
    found = await stores.image_contents.cves(SHOP, tag, WantedCves(), Cut())
    assert found is not None
    return found


async def packages(stores: Stores) -> ImagePackages:
    found = await stores.image_contents.packages(SHOP, None, PackageFilter(), Cut())
    assert found is not None
    return found


async def held(stores: Stores) -> PlatformPackages:
    page = await stores.image_pages.image(SHOP, "https://github.com")
    assert page is not None
    [platform] = page.claims[0].packages
    return platform


async def test_a_cve_is_told_with_where_its_fix_is_stuck_and_who_can_move_it(stores: Stores) -> None:
    await running(stores, SSL, base=(SSL,))
    await publish(stores)
    [row] = (await cves(stores)).cves.items
    assert (row.cve, row.severity, row.packages) == (CVE, Severity.HIGH, (f"libssl3t64 {SSL.version}",))
    assert (row.fixed_in, row.waits_at, row.who) == ((FIXED.version,), Station.BASE, "Microsoft")


async def test_it_says_the_same_as_the_ledger_of_the_fleet_wherever_the_fix_is(stores: Stores) -> None:
    """The base has the fix, then the image, while a manifest pins what was before."""
    await running(stores, SSL, base=(SSL,), deployed=digest("e"))
    await publish(stores)
    states = []
    for step in (None, move_base, move_image):
        if step is not None:
            await step(stores, FIXED)
        stores.clock.advance(timedelta(minutes=2))
        [row], page = (await cves(stores)).cves.items, await stores.ledger.cve(CVE, Cut())
        assert page is not None
        [of_fleet] = page.images.items
        assert (row.state, row.says, row.who) == (of_fleet.state, of_fleet.says, of_fleet.who)
        states.append(row.state)
    assert states == ["base not rebuilt", "image not rebuilt", "not deployed"]


async def test_an_image_that_has_the_fix_everywhere_has_no_cve(stores: Stores) -> None:
    await running(stores, SSL, base=(SSL,))
    await publish(stores)
    await move_base(stores, FIXED)
    await move_image(stores, FIXED)
    assert (await cves(stores)).total == 0


async def test_data_that_is_missing_of_what_it_holds_is_told(stores: Stores) -> None:
    await running(stores, SSL, SERILOG, base=(SSL,))
    await publish(stores)
    assert (await cves(stores)).gaps == ("no CVE data of NuGet is read (turn on vulnerabilities.nuget)",)


async def test_what_of_its_packages_cannot_be_read_is_told(stores: Stores) -> None:
    await running(stores, SSL, base=(SSL,))
    await publish(stores)
    async with stores.database.transaction() as connection:
        await connection.execute(update(inventories).values(problems=["var/lib/rpm is too new"], is_complete=False))
    assert (await cves(stores)).gaps == (
        "not all of the packages of linux/amd64 can be read: var/lib/rpm is too new",
    )


async def test_what_the_image_adds_to_its_base_is_told_apart(stores: Stores) -> None:
    await running(stores, SSL, base=(SSL,))
    await move_base(stores, FIXED)
    await move_image(stores, FIXED, SERILOG)
    platform = await held(stores)
    assert (platform.packages, platform.types) == (2, {"deb": 1, "nuget": 1})
    assert (platform.from_base, platform.added) == (1, 1)
    rows = (await packages(stores)).packages.items
    assert [(row.name, row.origin) for row in rows] == [
        ("Serilog", Origin.IMAGE),
        ("libssl3t64", Origin.BASE),
    ]


async def test_of_a_base_that_was_not_read_the_share_is_not_known(stores: Stores) -> None:
    await running(stores, SSL, base=(SSL,))
    assert ((await held(stores)).from_base, (await held(stores)).added) == (None, None)
    [row] = (await packages(stores)).packages.items
    assert row.origin is Origin.UNKNOWN


async def test_what_only_an_sbom_lists_is_told_as_claimed(stores: Stores) -> None:
    await running(stores, SSL)
    await asked(stores, sbom(SSL, SERILOG))
    rows = {row.name: row.shown_by for row in (await packages(stores)).packages.items}
    assert rows == {"libssl3t64": ShownBy.LAYERS, "Serilog": ShownBy.CLAIMED_SBOM}


async def test_an_image_that_waits_to_be_read_says_so(stores: Stores) -> None:
    await running(stores, SSL)
    await move_image(stores, is_read=False)
    assert (await cves(stores)).image.not_read == ("linux/amd64: it waits to be read",)


async def test_an_image_whose_layer_cannot_be_fetched_says_why(stores: Stores) -> None:
    await running(stores, SSL)
    await move_image(stores, is_read=False)
    async with stores.database.transaction() as connection:
        is_unread = layers.c.read_at.is_(None)
        await connection.execute(update(layers).where(is_unread).values(error="ghcr.io answers 403"))
    assert (await packages(stores)).image.not_read == ("linux/amd64: ghcr.io answers 403",)


async def test_a_platform_that_the_settings_do_not_name_says_so(stores: Stores) -> None:
    await running(stores, SSL)
    await move_image(stores, is_read=False)
    of_arm = ["linux/arm64"]
    contents = ImageContentsStore(stores.database, Worker("w"), stores.clock, platforms=of_arm)
    found = await contents.cves(SHOP, None, WantedCves(), Cut())
    assert found is not None
    why = "packages.platforms in the settings does not name it"
    assert found.image.not_read == (f"linux/amd64: {why}",)
    pages = ImagePagesStore(stores.database, Worker("w"), stores.clock, platforms=of_arm)
    page = await pages.image(SHOP, "https://github.com")
    assert page is not None
    assert [each.not_read for each in page.claims[0].packages] == [why]


async def test_a_platform_of_which_the_row_cannot_be_read_is_told_and_not_left_out(stores: Stores) -> None:
    await running(stores, SSL, base=(SSL,))
    await publish(stores)
    async with stores.database.transaction() as connection:
        await connection.execute(update(inventories).values(distribution=[7]))
    why = "what is stored of it is damaged; restore it from a backup"
    found = await cves(stores)
    assert (found.image.not_read, found.total) == ((f"linux/amd64: {why}",), 0)
    assert ((await held(stores)).not_read, (await held(stores)).packages) == (why, None)


async def test_an_image_that_was_never_seen_says_why(stores: Stores) -> None:
    await running(stores, SSL)
    async with stores.database.transaction() as connection:
        [number] = await connection.scalars(select(images.c.id))
        columns = dict.fromkeys(("digest", "standings", "found"))
        await connection.execute(update(images).values(**columns, error="ghcr.io answers 401"))
        await connection.execute(image_inventories.delete().where(image_inventories.c.image_id == number))
    found = await cves(stores)
    assert (found.image.not_read, found.total) == (("ghcr.io answers 401",), 0)


@pytest.mark.parametrize(("tag", "is_known"), [("latest", True), ("1.0", False)])
async def test_only_a_tag_that_there_is_has_contents(stores: Stores, tag: str, is_known: bool) -> None:
    await running(stores, SSL)
    found = await stores.image_contents.packages(SHOP, tag, PackageFilter(), Cut())
    assert (found is not None) == is_known
    assert await stores.image_contents.cves("ghcr.io/contoso/other", None, WantedCves(), Cut()) is None


async def test_of_two_claims_to_a_tag_the_page_begins_with_the_one_whose_word_counts(stores: Stores) -> None:
    """The other is shown first in a list: it is behind."""
    await running(stores, SSL, base=(SSL,))
    async with stores.database.transaction() as connection:
        [shop] = (await connection.execute(select(repositories))).mappings().all()
        other = {**shop, "id": shop["id"] + 1, "name": "contoso/copy", "node_id": "other"}
        await connection.execute(insert(repositories).values(**other))
        [image] = (await connection.execute(select(images))).mappings().all()
        behind = {"state": ImageState.BEHIND.value, "behind_since": stores.clock.now() - timedelta(days=9)}
        claim = {"id": image["id"] + 1, "repository_id": other["id"], "weakness": "a guess"}
        await connection.execute(insert(images).values(**{**image, **claim, **behind}))
    page = await stores.image_pages.image(SHOP, "https://github.com")
    assert page is not None
    shown, others = page.of_tag("latest")
    assert [each.image.repository for each in shown] == ["contoso/shop", "contoso/copy"]
    assert (page.cves.image.repository, others) == ("contoso/shop", ())


async def test_of_many_tags_the_page_shows_some_and_how_many_there_are(stores: Stores) -> None:
    await running(stores, SSL, base=(SSL,))
    async with stores.database.transaction() as connection:
        [image] = (await connection.execute(select(images))).mappings().all()
        for number in range(30):
            other = {"id": image["id"] + 1 + number, "tag": f"1.{number}", "found": None}
            await connection.execute(insert(images).values(**{**image, **other}))
    page = await stores.image_pages.image(SHOP, "https://github.com", "1.29")
    assert page is not None
    shown, others = page.of_tag("1.29")
    assert (len(shown), len(others), page.claim_count) == (1, 20, 31)


async def test_of_many_sboms_those_of_the_tag_that_is_asked_for_are_shown(stores: Stores) -> None:
    await running(stores, SSL, base=(SSL,))
    await asked(stores, sbom(SSL))
    async with stores.database.transaction() as connection:
        [image] = (await connection.execute(select(images))).mappings().all()
        [link] = (await connection.execute(select(image_inventories))).mappings().all()
        [listed] = (await connection.execute(select(sboms))).mappings().all()
        shown = inventories.c.id == link["inventory_id"]
        [held] = (await connection.execute(select(inventories).where(shown))).mappings().all()
        for number in range(100, 130):
            rows = {
                inventories: {**held, "id": number, "digest": f"sha256:{number:064x}", "config_digest": None},
                images: {**image, "id": number, "tag": f"1.{number}", "found": None},
                image_inventories: {**link, "image_id": number, "inventory_id": number},
                sboms: {**listed, "id": number, "inventory_id": number},
            }
            for table, row in rows.items():
                await connection.execute(insert(table).values(**row))
    page = await stores.image_pages.image(SHOP, "https://github.com", "1.129")
    assert page is not None
    [mine], _ = page.of_tag("1.129")
    assert [len(each.sboms) for each in mine.packages] == [1]


async def test_two_thousand_packages_with_three_hundred_cves_are_read_in_as_many_statements_as_one(
    stores: Stores,
) -> None:
    await running(stores, SSL, base=(SSL,))
    await publish(stores)
    counts = []
    for more in ((), tuple(replace(SSL, name=f"lib{number}", source=None) for number in range(2_000))):
        await _more(stores, more)
        with statements(stores.database._readers) as said:
            found = await stores.image_contents.cves(SHOP, None, WantedCves(), Cut(1, 5))
        with statements(stores.database._readers) as listed:
            every = await stores.image_contents.packages(SHOP, None, PackageFilter(), Cut())
        with statements(stores.database._readers) as of_page:
            await stores.image_pages.image(SHOP, "https://github.com")
        assert found is not None
        assert every is not None
        counts.append((found.total, every.total, len(said), len(listed), len(of_page)))
    (first, last) = counts
    assert (first[:2], last[:2]) == ((1, 1), (301, 2_001))
    assert first[2:] == last[2:]


async def _more(stores: Stores, some: Collection[Package]) -> None:
    """The image holds these too; the first three hundred have a CVE each."""
    now = stores.clock.now()
    async with stores.database.transaction() as connection:
        number = await connection.scalar(select(inventories.c.id).where(inventories.c.digest == digest("d")))
        ids = sorted(await package_ids(connection, list(some), now)) if some else []
        for each in ids:
            row = {"inventory_id": number, "package_id": each, "since": now}
            await connection.execute(insert(inventory_packages).values(**row))
        dump = await connection.scalar(select(dumps.c.id))
        affected = (await connection.execute(select(affected_packages))).mappings().first()
        record = (await connection.execute(select(vulnerabilities))).mappings().first()
        assert affected is not None
        assert record is not None
        for place, each in enumerate(ids[:300]):
            key = 1_000 + place
            said = {**record, "id": key, "name": f"UBUNTU-{key}", "dump_id": dump}
            await connection.execute(insert(vulnerabilities).values(**said))
            named = {"vulnerability_id": key, "cve": f"CVE-2025-{key}"}
            await connection.execute(insert(vulnerability_cves).values(**named))
            about = {**affected, "id": key, "vulnerability_id": key}
            await connection.execute(insert(affected_packages).values(**about))
            exposed = {"affected_id": key, "package_id": each, "is_certain": True}
            await connection.execute(insert(exposures).values(**exposed))
