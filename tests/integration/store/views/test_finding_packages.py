"""Which images hold a package, and which base brings another version."""

from dataclasses import replace

from bot.discover.ports import Reading
from bot.domain.images.image import SeenImage
from bot.domain.images.produced import Claim, Source
from bot.domain.images.tags import TagRule
from bot.domain.packages.package import Package
from bot.domain.packages.wanted import Wanted
from bot.domain.repositories.repository import Repository
from bot.verify.images.ports import Look
from bot.views.bases.inventory import FixState, FoundPackages
from tests.integration.store.filling import ASPNET, Stores, digest, usage_of
from tests.integration.store.holding import AMD64, FIXED, SSL, running, shows, told

SERILOG = Package("nuget", "Serilog", "4.0.0")
WANTED = Wanted("openssl", "deb", ("3.0.13-0ubuntu3.6",))


async def find(stores: Stores, wanted: Wanted = WANTED) -> FoundPackages:
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
    assert (found.fix.state, str(found.fix)) == (FixState.BASE, f"{ASPNET}@{digest('a')}")
    assert answer.not_known == 0


async def test_a_base_that_has_no_fix_yet_is_waited_for(stores: Stores) -> None:
    await running(stores, SSL, base=(SSL,))
    [found] = (await find(stores)).found
    assert (found.fix.state, found.fix.base) == (FixState.AWAITED, str(ASPNET))


async def test_what_the_image_brings_itself_no_base_fixes(stores: Stores) -> None:
    await running(stores, SERILOG, base=(FIXED,))
    [found] = (await find(stores, Wanted("Serilog"))).found
    assert found.fix.state is FixState.OWN


async def test_what_is_fixed_or_of_another_type_is_not_found(stores: Stores) -> None:
    await running(stores, FIXED, base=(FIXED,))
    assert await find(stores) == FoundPackages(())
    assert await find(stores, Wanted("openssl", "rpm")) == FoundPackages(())


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
