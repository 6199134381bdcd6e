"""What is inside images as rows: layers that fall due, what they make, and what a move of a base changed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import cbor2
import pytest
from backports import zstd
from sqlalchemy import select

from bot.domain.bases.observation import Observation, PlatformImage, Sight
from bot.domain.failure import Failure
from bot.domain.images.claims import Claim, Source, TagRule
from bot.domain.images.image import SeenImage
from bot.domain.packages.changes import Direction, PackageChange, PlatformChanges
from bot.domain.packages.cves.moves import CvesMoved
from bot.domain.packages.package import EDITION, Distribution, Inventory, Package
from bot.domain.repositories.repository import Reading, Repository
from bot.domain.rollouts.rebuild import RebuildState
from bot.fleet.verify.images.ports import Look
from bot.fleet.verify.images.rows.told_images import shown_now
from bot.fleet.verify.inventory.tick import Comparison, UnreadInventory, UnreadLayer
from bot.fleet.watch.registry.ports import Sighting
from bot.images.packages.layers.layer import LayerContents
from bot.store.pages.images.read_platforms import count_images
from bot.store.rows.inventories.inventories import (
    inventories,
    inventory_packages,
    layer_contents,
    layers,
    package_of,
    packages,
)
from tests.integration.store.filling import ASPNET, HOUR, SDK, Stores, digest, usage_of

AMD64 = ["linux/amd64"]
CONTENTS = LayerContents(
    {"var/lib/dpkg/status": b"\x00any bytes"},
    frozenset({"tmp/a"}),
    frozenset({"opt"}),
    frozenset({"usr/bin/x"}),
    ("a problem",),
    digest("9"),
    b"12345678",
    {"lib": "usr/lib"},
)
SSL = Package("deb", "libssl3t64", "3.0.13-0ubuntu3.5", "amd64", "openssl", "3.0.13-0ubuntu3.5")
NEWER_SSL = replace(SSL, version="3.0.13-0ubuntu3.6", source_version="3.0.13-0ubuntu3.6")
LIBC = Package("deb", "libc6", "2.39", "amd64")


def image(letter: str, *layers: str, platform: str = "linux/amd64") -> PlatformImage:
    return PlatformImage(platform, digest(letter), layers=tuple(map(digest, layers)))


async def show(stores: Stores, *images: PlatformImage, letter: str = "a") -> None:
    """Every base that is due shows these images."""
    now = stores.clock.now()
    seen = [
        Sighting(
            each.id,
            Sight.MOVED if each.digest else Sight.FIRST,
            Observation(now, each.base, digest(letter), "10.0.5", platforms=images),
            now + HOUR,
        )
        for each in await stores.bases()
    ]
    await stores.watch.record(seen, {})


async def watching(stores: Stores, *images: PlatformImage) -> None:
    await stores.listing(Repository("contoso/shop", "main"))
    claim = Claim("ghcr.io/contoso/shop", TagRule("latest"), Source.BUILD)
    await stores.read(Reading("tree-1", ((usage_of(ASPNET), ASPNET),), images=(claim,)))
    await show(stores, *images)


async def read_all(stores: Stores, contents: LayerContents = CONTENTS) -> list[UnreadLayer]:
    taken = await stores.taken(stores.inventory.layers(AMD64))
    for layer in taken:
        await stores.inventory.save_layer(layer, contents, None)
    return taken


async def tell(stores: Stores, *packages: Package, problems: Sequence[str] = ()) -> list[UnreadInventory]:
    """Every image whose layers are read turns out to hold these packages."""
    ready = await stores.taken(stores.inventory.inventories(AMD64))
    for each in ready:
        found = Inventory(packages, Distribution("ubuntu", "24.04"), tuple(problems))
        await stores.inventory.save_inventory(each, found)
    return ready


async def test_the_layers_of_what_a_base_shows_are_due_once(stores: Stores) -> None:
    await watching(stores, image("b", "1", "2"), image("c", "1", "3", platform="linux/arm/v7"))
    taken = await stores.taken(stores.inventory.layers(AMD64))
    assert sorted(each.digest for each in taken) == [digest("1"), digest("2")]
    assert {(each.registry, each.repository) for each in taken} == {(ASPNET.registry, ASPNET.repository)}
    assert await stores.inventory.layers([]).claim(stores.clock.now(), 10) == []


async def test_a_layer_is_kept_as_it_was_read(stores: Stores) -> None:
    await watching(stores, image("b", "1"))
    await read_all(stores)
    assert await stores.inventory.layer_unpacked_to(digest("9")) == CONTENTS
    assert await stores.inventory.layer_unpacked_to(digest("8")) is None
    assert await read_all(stores) == []
    [ready] = await stores.taken(stores.inventory.inventories(AMD64))
    assert await stores.inventory.layers_of(ready) == [CONTENTS]


@pytest.mark.parametrize(("values", "marks"), [((), b""), ((b"12345678",), b"12345678")])
async def test_of_a_layer_kept_before_links_were_it_is_assumed_where_they_lead(
    stores: Stores, values: tuple[bytes, ...], marks: bytes
) -> None:
    await watching(stores, image("b", "1"))
    await read_all(stores)
    body = zstd.compress(cbor2.dumps([{}, [], [], ["lib", "bin"], [], *values]))
    async with stores.database.transaction() as connection:
        await connection.execute(layer_contents.update().values(body=body))
    found = await stores.inventory.layer_unpacked_to(digest("9"))
    assert found == LayerContents(replaced=frozenset({"lib", "bin"}), marks=marks, links={"lib": "usr/lib"})


async def read_by_an_earlier_edition(stores: Stores) -> None:
    async with stores.database.transaction() as connection:
        await connection.execute(layers.update().values(edition=EDITION - 1))


async def test_what_an_earlier_edition_read_is_read_anew_for_the_next_image_and_for_none_that_is_told(
    stores: Stores,
) -> None:
    """It kept no hard links, so that what stands on it would lack packages."""
    await watching(stores, image("b", "1", "2"))
    await read_all(stores, LayerContents())
    await tell(stores)
    await read_by_an_earlier_edition(stores)
    assert await read_all(stores) == []
    stores.clock.advance(HOUR)
    await show(stores, image("c", "1", "3"), letter="c")
    assert sorted(each.digest for each in await read_all(stores)) == [digest("1"), digest("3")]
    [ready] = await stores.taken(stores.inventory.inventories(AMD64))
    assert await stores.inventory.layers_of(ready) == [CONTENTS, CONTENTS]


async def test_nor_does_it_stand_for_another_layer_with_the_same_content(stores: Stores) -> None:
    await watching(stores, image("b", "1"))
    await read_all(stores)
    await read_by_an_earlier_edition(stores)
    assert await stores.inventory.layer_unpacked_to(digest("9")) is None


async def test_an_image_is_told_once_all_its_layers_are_read_the_top_one_first(stores: Stores) -> None:
    await watching(stores, image("b", "1", "2"))
    first, second = sorted(await stores.taken(stores.inventory.layers(AMD64)), key=lambda each: each.digest)
    await stores.inventory.save_layer(first, CONTENTS, None)
    assert await stores.taken(stores.inventory.inventories(AMD64)) == []
    await stores.inventory.save_layer(second, None, "is no tar archive")
    [ready] = await stores.taken(stores.inventory.inventories(AMD64))
    assert await stores.inventory.layers_of(ready) == [LayerContents(problems=("is no tar archive",)), CONTENTS]


async def test_packages_are_kept_as_they_are(stores: Stores) -> None:
    await watching(stores, image("b", "1"))
    await read_all(stores)
    plain = Package("nuget", "Serilog", "4.0.0")
    [told] = await tell(stores, SSL, plain, problems=["one is damaged"])
    found = await stores.inventory.inventory(told.id)
    assert found == Inventory((SSL, plain), Distribution("ubuntu", "24.04"), ("one is damaged",))
    assert await tell(stores) == []


async def test_a_move_of_a_base_is_compared_once_both_sides_are_told(stores: Stores) -> None:
    await watching(stores, image("b", "1"))
    stores.clock.advance(HOUR)
    await show(stores, image("c", "1", "2"), letter="b")
    assert await stores.taken(stores.inventory.comparisons) == []
    await read_all(stores)
    [before, after] = await tell(stores, SSL)
    [comparison] = await stores.taken(stores.inventory.comparisons)
    assert comparison == Comparison(comparison.id, before.id, after.id)
    change = PackageChange("deb", "libssl3t64", "amd64", SSL.version, NEWER_SSL.version, Direction.UP)
    await stores.inventory.save_comparison(comparison, [change], is_complete=True)
    assert await stores.taken(stores.inventory.comparisons) == []


async def test_what_did_not_change_on_a_platform_is_not_compared(stores: Stores) -> None:
    await watching(stores, image("b", "1"))
    stores.clock.advance(HOUR)
    await show(stores, image("b", "1"), letter="b")
    await read_all(stores)
    await tell(stores, SSL)
    assert await stores.taken(stores.inventory.comparisons) == []


async def test_tags_with_the_same_image_share_what_is_read(stores: Stores) -> None:
    await stores.listing(Repository("contoso/shop", "main"))
    await stores.read(Reading("tree-1", tuple((usage_of(base), base) for base in (ASPNET, SDK))))
    await show(stores, image("b", "1"))
    assert len(await read_all(stores)) == 1
    assert len(await tell(stores, SSL)) == 1


async def test_of_several_images_of_one_platform_each_is_asked_what_it_holds(stores: Stores) -> None:
    """A runtime takes the first; whoever asks for another by its digest runs that."""
    await watching(stores, image("b", "1"))
    [row] = await stores.taken(stores.images.images)
    shown = (image("d", "4"), image("e", "5"), image("f", "6", platform="linux/arm64"))
    await stores.images.keep_look(row, Look("latest", SeenImage(digest("c"), shown), ()))
    async with stores.database.reading() as connection:
        now = (await shown_now(connection, [row.id]))[row.id].inventories
    assert sorted(now) == ["linux/amd64", "linux/amd64 2", "linux/arm64"]
    await read_all(stores)
    first, second = sorted(
        (each for each in await stores.taken(stores.inventory.inventories(AMD64)) if each.digest != digest("b")),
        key=lambda each: each.digest,
    )
    assert (first.id, second.id) == (now["linux/amd64"], now["linux/amd64 2"])
    await stores.inventory.save_inventory(first, Inventory((LIBC,)))
    async with stores.database.reading() as connection:
        assert await count_images(connection, AMD64) == (1, 1), "not all of it is known"
    await stores.inventory.save_inventory(second, Inventory((SSL,)))
    async with stores.database.reading() as connection:
        assert await count_images(connection, AMD64) == (1, 0)


async def test_a_package_is_in_an_image_since_it_was_first_seen_there(stores: Stores) -> None:
    await watching(stores, image("b", "1"))
    [row] = await stores.taken(stores.images.images)
    for letter, some in (("d", (SSL, LIBC)), ("e", (NEWER_SSL, LIBC))):
        seen = SeenImage(digest(letter), (image(letter, letter),))
        await stores.images.keep_look(row, Look("latest", seen, ()))
        await read_all(stores)
        await tell(stores, *some)
        stores.clock.advance(HOUR)
    start = stores.clock.now() - 2 * HOUR
    held = (
        select(packages, inventory_packages.c.since)
        .join(inventory_packages, inventory_packages.c.package_id == packages.c.id)
        .join(inventories, inventories.c.id == inventory_packages.c.inventory_id)
        .where(inventories.c.digest == digest("e"))
    )
    async with stores.database.reading() as connection:
        since = {package_of(row): row.since for row in await connection.execute(held)}
    assert since == {LIBC: start, NEWER_SSL: start + HOUR}


async def test_what_is_shown_no_longer_is_forgotten_but_not_what_changed(stores: Stores) -> None:
    await watching(stores, image("b", "1"))
    await read_all(stores)
    [old] = await tell(stores, SSL)
    stores.clock.advance(timedelta(days=7))
    await show(stores, image("c", "2"), letter="b")
    await read_all(stores)
    [new] = await tell(stores, NEWER_SSL)
    stores.clock.advance(timedelta(days=2))
    await forget(stores)
    assert (await stores.inventory.inventory(old.id)).packages == (SSL,), "it is still to be compared"
    [comparison] = await stores.taken(stores.inventory.comparisons)
    await stores.inventory.save_comparison(comparison, [], is_complete=True)
    stores.clock.advance(timedelta(days=89))
    await forget(stores)
    assert (await stores.inventory.inventory(old.id)).packages == (SSL,), "its CVEs are told still"
    assert await stores.column(layers, "digest") == [digest("2")]
    stores.clock.advance(timedelta(days=2))
    await forget(stores)
    with pytest.raises(Failure, match="not known any more"):
        await stores.inventory.inventory(old.id)
    assert (await stores.inventory.inventory(new.id)).packages == (NEWER_SSL,)


async def test_what_nobody_reads_is_forgotten_too(stores: Stores) -> None:
    await watching(stores, image("b", "1", platform="linux/arm/v7"))
    stores.clock.advance(HOUR)
    await show(stores, image("c", "2", platform="linux/arm/v7"), letter="b")
    stores.clock.advance(timedelta(days=9))
    task = await stores.retention.claim_forgetting()
    assert task is not None
    forgotten = await stores.retention.forget(task, timedelta(days=400))
    assert (forgotten["inventories"], forgotten["layers"]) == (1, 1)


async def forget(stores: Stores) -> None:
    task = await stores.retention.claim_forgetting()
    assert task is not None
    await stores.retention.forget(task, timedelta(days=400))


async def test_a_change_of_a_base_and_its_open_pull_request_say_what_it_changed(stores: Stores) -> None:
    await watching(stores, image("b", "1"))
    stores.clock.advance(HOUR)
    await show(stores, image("c", "2"), letter="b")
    await stores.assess_all()
    await stores.plan_all()
    [job] = await stores.jobs()
    await stores.act.settle_rebuild(
        job.rebuild, job.rebuild.moved(RebuildState.OPEN, "opened", at=stores.clock.now())
    )
    unread = CvesMoved(None, None, ("the packages of linux/amd64 are not read yet",))
    unknown = (PlatformChanges("linux/amd64", None, is_complete=False, cves=unread),)
    assert (job.packages, await stores.jobs()) == ({ASPNET: unknown}, [])
    change = PackageChange("deb", "libssl3t64", "amd64", SSL.version, NEWER_SSL.version, Direction.UP)
    await read_all(stores)
    await tell(stores, SSL)
    [comparison] = await stores.taken(stores.inventory.comparisons)
    await stores.inventory.save_comparison(comparison, [change], is_complete=True)
    without_data = CvesMoved(None, None, ("no CVE data of Ubuntu is read (turn on vulnerabilities.ubuntu)",))
    told = (PlatformChanges("linux/amd64", (change,), cves=without_data),)
    assert [each.packages for each in await stores.jobs()] == [{ASPNET: told}]
    [(_, packages)] = await stores.base_views.changes_of("aspnet:10.0")
    page = await stores.base_pages.base(str(ASPNET))
    assert page is not None
    assert (packages, page.changes[0].packages) == (told, told)
    assert page.changes[0].packages_told == "only libssl3t64 3.0.13-0ubuntu3.5 → 3.0.13-0ubuntu3.6"
