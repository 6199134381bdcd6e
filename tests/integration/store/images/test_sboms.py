"""SBOMs as rows: which images are to be asked for them, and what their packages answer."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import func, select

from bot.domain.evidence import Strength
from bot.domain.packages.cves.vulnerability import Ecosystem
from bot.domain.packages.package import Package, SbomOrigin
from bot.domain.packages.wanted import WantedPackage
from bot.domain.reference import Reference
from bot.store.rows.inventories.inventories import sbom_looks, sboms
from bot.upstream.osv.questions import PackageQuestion
from bot.views.images.inventory import ShownBy
from tests.integration.store.filling import Stores, digest
from tests.integration.store.holding import AMD64, FIXED, SSL, asked, running, sbom

IMAGE = Reference.parse("ghcr.io/contoso/shop:latest")
ZLIB = Package("deb", "zlib1g", "1.3", "amd64")


async def shown_by(stores: Stores, name: str = "openssl") -> dict[str, ShownBy]:
    answer = await stores.packages.find([WantedPackage(name)], AMD64)
    return {each.package.version: each.shown_by for each in answer.found}


async def test_an_image_is_asked_for_once_its_build_had_the_time_to_attach_them(stores: Stores) -> None:
    await running(stores, SSL)
    assert await stores.taken(stores.sboms.looks(AMD64)) == []
    stores.clock.advance(timedelta(minutes=5))
    assert await stores.taken(stores.sboms.looks(["linux/s390x"])) == []
    [look] = await stores.taken(stores.sboms.looks(AMD64))
    assert (look.place.name, look.place.digest, look.place.index, look.is_last) == (
        "ghcr.io/contoso/shop",
        digest("d"),
        digest("e"),
        False,
    )
    await stores.sboms.save_sboms(look, [], stores.clock.now() + timedelta(days=1))
    stores.clock.advance(timedelta(days=1))
    [again] = await stores.taken(stores.sboms.looks(AMD64))
    assert again == replace(look, is_last=True)


async def test_what_only_an_sbom_lists_is_found_with_its_worth(stores: Stores) -> None:
    await running(stores, ZLIB)
    await asked(stores, sbom(SSL), sbom(FIXED, strength=Strength.PROVED, document="2"))
    assert await shown_by(stores) == {
        SSL.version: ShownBy.CLAIMED_SBOM,
        FIXED.version: ShownBy.PROVED_SBOM,
    }


async def test_what_the_layers_show_counts_more_than_an_sbom(stores: Stores) -> None:
    await running(stores, SSL)
    await asked(stores, sbom(replace(SSL, architecture=None), ZLIB))
    assert await shown_by(stores) == {SSL.version: ShownBy.LAYERS}
    assert await shown_by(stores, "zlib1g") == {ZLIB.version: ShownBy.CLAIMED_SBOM}


async def test_what_people_imported_stays_when_the_registry_shows_others(stores: Stores) -> None:
    await running(stores, ZLIB)
    [shown] = await stores.sboms.images_shown(IMAGE)
    imported = replace(sbom(SSL), origin=SbomOrigin.FILE)
    for _ in range(2):
        await stores.sboms.import_sbom(shown.inventory, imported)
    await asked(stores, sbom(FIXED))
    assert set(await shown_by(stores)) == {SSL.version, FIXED.version}
    async with stores.database.reading() as connection:
        assert await connection.scalar(select(func.count()).select_from(sboms)) == 2


async def test_an_image_is_known_by_its_tag_its_digest_and_that_of_a_platform(stores: Stores) -> None:
    await running(stores, ZLIB)
    for name in ("contoso/shop:latest", f"contoso/shop@{digest('e')}", f"contoso/shop@{digest('d')}"):
        [shown] = await stores.sboms.images_shown(Reference.parse(f"ghcr.io/{name}"))
        assert (shown.platform, shown.place.digest) == ("linux/amd64", digest("d"))
    for name in ("contoso/shop:1", f"contoso/shop@{digest('f')}", "contoso/other:latest"):
        assert await stores.sboms.images_shown(Reference.parse(f"ghcr.io/{name}")) == []


async def test_the_page_of_an_image_shows_both_and_what_differs(stores: Stores) -> None:
    await running(stores, SSL, ZLIB)
    await asked(stores, sbom(FIXED, ZLIB))
    page = await stores.image_pages.image("ghcr.io/contoso/shop", "https://github.com")
    assert page is not None
    [held] = page.claims[0].packages
    [row] = held.sboms
    assert (held.platform, held.packages, row.strength, row.packages) == ("linux/amd64", 2, Strength.CLAIMED, 2)
    assert row.differences is not None
    assert [(each.name, each.before, each.after) for each in row.differences] == [
        ("libssl3t64", SSL.version, FIXED.version)
    ]


async def test_an_sbom_is_forgotten_once_its_image_has_shown_two_others(stores: Stores) -> None:
    await running(stores, ZLIB)
    await asked(stores, sbom(SSL))
    kept = []
    for image in "fe":
        stores.clock.advance(timedelta(days=800))
        await running(stores, ZLIB, image=image)
        task = await stores.retention.claim_forgetting()
        assert task is not None
        await stores.retention.forget(task, timedelta(days=400))
        async with stores.database.reading() as connection:
            looks = await connection.scalar(select(func.count()).select_from(sbom_looks))
            kept.append((looks, await connection.scalar(select(func.count()).select_from(sboms))))
    assert kept == [(2, 1), (2, 0)]
    assert await shown_by(stores) == {}


async def test_an_api_is_asked_also_about_what_an_sbom_alone_lists(stores: Stores) -> None:
    await running(stores, ZLIB)
    await asked(stores, sbom(SSL))
    assert await stores.vulnerabilities.questions(Ecosystem.UBUNTU) == {
        PackageQuestion("Ubuntu:24.04", "zlib1g", "1.3"),
        PackageQuestion("Ubuntu:24.04", "openssl", str(SSL.source_version)),
    }
