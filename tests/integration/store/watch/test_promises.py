"""What is measured of upstream's promises, of all that a store has seen."""

from datetime import timedelta

from bot.domain.bases.notice import Topic
from bot.domain.bases.observation import Observation, PlatformImage
from bot.domain.feeds.advisory import Release
from bot.domain.images.claims import Claim, Source, TagRule
from bot.domain.reference import Base
from bot.domain.repositories.repository import Reading, Repository
from bot.store.history import Logged
from tests.integration.store.filling import ASPNET, HOUR, Stores, digest, usage_of
from tests.integration.store.statements import statements

COPY = Base("myacr.azurecr.io", "mcr/dotnet/aspnet", "10.0")
OWN = Base("ghcr.io", "contoso/aspnet", "10.0")


async def release(stores: Stores, version: str) -> None:
    """The feed lists it now."""
    listed = Release("10.0", version, stores.clock.now(), runtime=version, aspnetcore=version)
    await stores.history.add_releases([listed])


async def show(stores: Stores, base: Base, digit: str, version: str) -> None:
    platforms = (PlatformImage("linux/amd64", digest(digit), layers=(digest(digit),)),)
    seen = Observation(stores.clock.now(), base, digest(digit), version, platforms=platforms)
    await stores.history.add([Logged(seen)])


async def use(stores: Stores, *some: Base) -> None:
    """A repository stands on these from now on, or on none."""
    await stores.listing(Repository("contoso/shop", "main"))
    await stores.read(Reading(f"tree-{len(some)}", tuple((usage_of(each), each) for each in some)))


async def delays(stores: Stores) -> list[tuple[Base, timedelta]]:
    return [(lag.base, lag.delay) for lag in await stores.promises.lags()]


async def test_what_mirrors_and_the_fleet_itself_took_is_not_held_against_upstream(stores: Stores) -> None:
    await stores.listing(Repository("contoso/shop", "main"))
    own = Claim(OWN.name, TagRule(OWN.tag), Source.BUILD)
    await stores.read(Reading("tree-1", ((usage_of(COPY), COPY),), images=(own,), upstreams={COPY: ASPNET}))
    for base in (ASPNET, COPY, OWN):
        await show(stores, base, "1", "10.0.4")
    await release(stores, "10.0.5")
    for base, late in ((ASPNET, 2), (COPY, 40), (OWN, 80)):
        stores.clock.advance(late * HOUR)
        await show(stores, base, "2", "10.0.5")
    assert await delays(stores) == [(ASPNET, 2 * HOUR)]
    figures = (await stores.figures.figures()).promises
    assert [(key, row.times, row.kept) for key, row in figures.items()] == [((Topic.RELEASE_LAG, "aspnet"), 1, 1)]
    [record] = (await stores.base_pages.upstream()).promises
    assert (record.topic, record.times, record.kept) == (Topic.RELEASE_LAG, 1, 1)


async def test_a_release_that_is_listed_later_is_measured_then(stores: Stores) -> None:
    await show(stores, ASPNET, "1", "10.0.4")
    stores.clock.advance(HOUR)
    await show(stores, ASPNET, "2", "10.0.5")
    assert await delays(stores) == []
    stores.clock.advance(3 * HOUR)
    await release(stores, "10.0.5")
    assert await delays(stores) == [(ASPNET, -3 * HOUR)]


async def test_what_has_moved_since_is_measured_too(stores: Stores) -> None:
    await use(stores, ASPNET)
    await show(stores, ASPNET, "1", "10.0.4")
    await release(stores, "10.0.5")
    stores.clock.advance(25 * HOUR)
    assert await delays(stores) == [(ASPNET, 25 * HOUR)]
    [row] = (await stores.figures.figures()).promises.values()
    assert (row.times, row.kept, row.pending) == (1, 0, 1), "late before it has come"
    stores.clock.advance(5 * HOUR)
    await show(stores, ASPNET, "2", "10.0.5")
    assert await delays(stores) == [(ASPNET, 30 * HOUR)]


async def test_what_a_sibling_got_is_awaited_of_the_image_that_is_cut_from_it(stores: Stores) -> None:
    full = Base(ASPNET.registry, ASPNET.repository, "10.0-noble")
    cut = Base(ASPNET.registry, ASPNET.repository, "10.0-noble-chiseled")
    await use(stores, full, cut)
    await show(stores, full, "1", "10.0.5")
    await show(stores, cut, "3", "10.0.5")
    assert await delays(stores) == []
    stores.clock.advance(HOUR)
    await show(stores, full, "2", "10.0.5")
    stores.clock.advance(20 * HOUR)
    assert await delays(stores) == [(cut, 20 * HOUR)], "as long as it is awaited"
    stores.clock.advance(5 * HOUR)
    await use(stores, full)
    assert await delays(stores) == [], "nobody looks whether it has come"


async def test_nothing_is_awaited_of_a_base_that_is_watched_no_more(stores: Stores) -> None:
    """As one that a log told of and nobody uses."""
    await show(stores, ASPNET, "1", "10.0.4")
    await release(stores, "10.0.5")
    stores.clock.advance(25 * HOUR)
    assert await delays(stores) == []
    assert (await stores.base_views.watched()) == frozenset()
    await use(stores, ASPNET)
    assert await delays(stores) == [(ASPNET, 25 * HOUR)]
    assert (await stores.base_views.watched()) == {ASPNET}


async def test_observations_are_looked_through_only_after_one_came(stores: Stores) -> None:
    """Whoever reads the metrics asks every few seconds."""
    await show(stores, ASPNET, "1", "10.0.4")
    with statements(stores.database._readers) as told:
        for _ in range(3):
            await stores.promises.lags()
        assert len(groupings(told)) == 1
        await show(stores, COPY, "1", "10.0.4")
        await stores.promises.lags()
        assert len(groupings(told)) == 2


def groupings(told: list[str]) -> list[str]:
    return [each for each in told if "GROUP BY" in each and "observations" in each]
