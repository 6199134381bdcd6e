"""Digests that repositories pin are found once, told by where they are behind, and forgotten with the last pin."""

from collections import Counter
from datetime import timedelta

from bot.domain.bases.change import Cause
from bot.domain.bases.observation import Observation
from bot.domain.feeds.advisory import Release
from bot.domain.repositories.repository import Reading, Repository
from bot.domain.rollouts.pinning import lacking
from bot.fleet.watch.pins.rows import PinsStore
from bot.store.rows.bases.pinned_digests import pinned_digests
from bot.store.rows.bases.told_ways import save_release
from tests.integration.store.conftest import NOON
from tests.integration.store.filling import ASPNET, HOUR, Stores, digest, usage_of

YEAR = timedelta(days=365)


async def pinning(stores: Stores, shown: str = "z", version: str = "10.0.5") -> None:
    """A repository pins `a`, which its base has left before anybody looked."""
    await stores.listing(Repository("contoso/shop", "main"))
    await stores.read(Reading("tree-1", ((usage_of(ASPNET), ASPNET),)))
    await stores.see({ASPNET: shown}, version)


async def read_as(stores: Stores, version: str | None) -> None:
    store = stores[PinsStore]
    await store.find_pins()
    for pin in await stores.taken(store.pins):
        image = Observation(NOON, pin.base, pin.digest, version, "2026-01-10T00:00:00Z")
        await store.save_pin(pin, image)


async def test_what_the_base_does_not_show_and_was_not_seen_to_show_is_found_once(stores: Stores) -> None:
    await pinning(stores)
    for _ in range(2):
        await read_as(stores, "10.0.3")
    assert await stores.column(pinned_digests, "digest") == [digest("a")]
    assert await stores.taken(stores[PinsStore].pins) == []


async def test_what_the_base_shows_or_has_shown_is_not_asked_for(stores: Stores) -> None:
    await pinning(stores, "a")
    await read_as(stores, None)
    stores.clock.advance(HOUR)
    await stores.see({ASPNET: "b"})
    await read_as(stores, None)
    assert await stores.count(pinned_digests) == 0


async def test_by_the_version_that_it_declares_releases_tell_what_it_lacks(stores: Stores) -> None:
    await pinning(stores)
    await read_as(stores, "10.0.3")
    async with stores.database.transaction() as connection:
        for version, cves in (("10.0.3", ()), ("10.0.4", ("CVE-2026-1",)), ("10.0.5", ())):
            release = Release("10.0", version, NOON - timedelta(days=9), version, version, (), bool(cves), cves)
            await save_release(connection, release)
    [behind] = (await stores.catch_up.behind()).usages
    lacks = lacking(behind, NOON)
    assert (lacks.cause, lacks.cves, lacks.from_version) == (Cause.DOTNET_SECURITY, ("CVE-2026-1",), "10.0.3")
    assert behind.told_way is not None
    assert [release.version for release in behind.told_way.security_releases] == ["10.0.4"]
    assert behind.published_at is not None


async def test_one_that_is_newer_than_what_the_base_shows_is_not_behind(stores: Stores) -> None:
    await pinning(stores)
    await read_as(stores, "10.0.6")
    assert (await stores.catch_up.behind()).usages == ()


async def test_the_first_look_is_not_over_while_a_pinned_digest_is_unread(stores: Stores) -> None:
    await pinning(stores)
    assert not await stores.catch_up.is_fleet_read()
    await stores[PinsStore].find_pins()
    assert not await stores.catch_up.is_fleet_read()
    await read_as(stores, None)
    assert await stores.catch_up.is_fleet_read()


async def test_one_that_cannot_be_read_keeps_nobody_waiting(stores: Stores) -> None:
    await pinning(stores)
    store = stores[PinsStore]
    await store.find_pins()
    [pin] = await stores.taken(store.pins)
    await stores.put_off(store.pins, pin.id, NOON + HOUR, "is not there")
    assert await stores.catch_up.is_fleet_read()


async def test_it_is_forgotten_a_week_after_the_last_repository_has_ceased_to_pin_it(stores: Stores) -> None:
    await pinning(stores)
    await read_as(stores, "10.0.3")

    async def forgotten() -> Counter[str]:
        stores.clock.advance(timedelta(days=9))
        task = await stores.retention.claim_forgetting()
        assert task is not None
        return Counter(await stores.retention.forget(task, YEAR))

    assert not (await forgotten())["pinned_digests"]
    await stores.read(Reading("tree-2", ()))
    assert (await forgotten())["pinned_digests"] == 1
