"""What a listing changes besides who is in the fleet: incidents, and who must be read again."""

from collections.abc import Collection
from datetime import timedelta

from bot.domain.repositories.repository import Reading, Repository
from bot.fleet.discover.ports import Listing
from bot.store.rows.repositories.tables import usages
from bot.store.rows.tables import outbox
from tests.integration.store.conftest import NOON
from tests.integration.store.filling import ASPNET, HOUR, Stores, usage_of

SHOP = Repository("contoso/shop", "main", NOON - timedelta(days=3))
DESK = Repository("contoso/desk", "main", NOON - timedelta(days=3))
READING = Reading("tree-1", ((usage_of(ASPNET), ASPNET),), reader="first")


async def listed(
    stores: Stores,
    *repositories: Repository,
    kept: Collection[str] = (),
    trouble: str | None = None,
    reader: str | None = None,
) -> None:
    stores.clock.advance(HOUR)
    [task] = await stores.listings()
    listing = Listing(repositories, frozenset(kept), trouble)
    await stores.discover.record_listing(task, listing, stores.clock.now() + HOUR, reader=reader)


async def incidents(stores: Stores) -> list[tuple[str, str]]:
    return [(item.subject, item.detail) for item in (await stores.fleet_views.status()).incidents]


async def due(stores: Stores) -> list[str]:
    return sorted(item.name for item in await stores.repositories(100))


async def test_what_is_kept_stays_with_its_usages_and_is_one_incident(stores: Stores) -> None:
    await listed(stores, SHOP, DESK)
    await stores.read(READING)
    for _ in range(2):
        await listed(stores, SHOP, kept=["contoso/desk"], trouble="access was lost")
    fleet = await stores.discover.known_fleet()
    assert fleet.names == {"contoso/shop", "contoso/desk"}
    assert fleet.short_since == NOON + 2 * HOUR
    assert await stores.count(usages) == 2
    assert await incidents(stores) == [("access to the fleet", "access was lost")]
    assert await stores.count(outbox) == 1


async def test_a_listing_without_trouble_ends_the_incidents_of_earlier_ones(stores: Stores) -> None:
    [task] = await stores.listings()
    await stores.discover.postpone_listing(task, NOON + HOUR, trouble="HTTP 401 Bad credentials")
    assert await incidents(stores) == [("GitHub's list of repositories", "HTTP 401 Bad credentials")]
    await listed(stores, SHOP, trouble="access was lost")
    assert await incidents(stores) == [("access to the fleet", "access was lost")]
    await listed(stores, SHOP)
    assert await incidents(stores) == []


async def test_what_was_not_tried_has_neither_attempt_nor_error(stores: Stores) -> None:
    await listed(stores, SHOP)
    [claimed] = await stores.repositories(1)
    await stores.put_off(stores.discover.repositories, claimed.id, stores.clock.now() + HOUR)
    assert await due(stores) == []
    stores.clock.advance(HOUR)
    [again] = await stores.repositories(1)
    assert (again.attempts, again.error) == (1, None)


async def test_a_base_that_two_repositories_use_is_polled_until_neither_does(stores: Stores) -> None:
    await listed(stores, SHOP, DESK)
    await stores.read(READING)
    for left, polled in (((SHOP,), 1), ((), 0)):
        await listed(stores, *left)
        stores.clock.advance(HOUR)
        assert len(await stores.bases(10)) == polled
