"""`DiscoverStore`, in memory and on both databases."""

from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.clock import ManualClock
from bot.domain.failure import LeaseLost
from bot.domain.repositories.repository import Reading, Repository
from bot.fleet.discover.ports import DiscoverStore, DueListing, DueRepository, Listing
from bot.store.rows.repositories.tables import repositories
from tests.fakes.stores.discover import FakeDiscoverStore
from tests.integration.store.conftest import NOON
from tests.integration.store.contracts.conftest import Steal
from tests.integration.store.filling import ASPNET, HOUR, Stores, usage_of

SHOP = Repository("contoso/shop", "main", NOON - timedelta(days=3))
DESK = Repository("contoso/desk", "main", NOON - timedelta(days=3))
READING = Reading("tree-1", ((usage_of(ASPNET), ASPNET),), reader="first")


@pytest.fixture
def store(real: Stores | None, clock: ManualClock) -> DiscoverStore:
    return FakeDiscoverStore(clock) if real is None else real.discover


async def tasks(store: DiscoverStore, clock: ManualClock) -> list[DueListing]:
    await store.expect_listing()
    return [await store.listings().read(claimed) for claimed in await store.listings().claim(clock.now(), 10)]


async def listed(
    store: DiscoverStore,
    clock: ManualClock,
    *shown: Repository,
    kept: Collection[str] = (),
    trouble: str | None = None,
    reader: str | None = None,
) -> None:
    [task] = await tasks(store, clock)
    listing = Listing(shown, frozenset(kept), trouble)
    await store.record_listing(task, listing, clock.now() + HOUR, reader=reader)


async def due(store: DiscoverStore, clock: ManualClock) -> list[DueRepository]:
    claims = await store.repositories.claim(clock.now(), 10)
    return [await store.repositories.read(claimed) for claimed in claims]


async def read(store: DiscoverStore, clock: ManualClock) -> None:
    for repository in await due(store, clock):
        await store.save_reading(repository, READING, clock.now() + 24 * HOUR)


async def test_the_task_of_listing_is_due_at_once_and_taken_once(store: DiscoverStore, clock: ManualClock) -> None:
    assert [len(await tasks(store, clock)) for _ in range(2)] == [1, 0]


async def test_a_listing_that_failed_is_tried_again_later(store: DiscoverStore, clock: ManualClock) -> None:
    [task] = await tasks(store, clock)
    await store.postpone_listing(task, clock.now() + HOUR)
    assert await tasks(store, clock) == []
    clock.advance(HOUR)
    assert [again.attempts for again in await tasks(store, clock)] == [2]


async def test_new_repositories_are_due_at_once(store: DiscoverStore, clock: ManualClock) -> None:
    await listed(store, clock, SHOP, DESK)
    assert (await store.known_fleet()).names == {"contoso/shop", "contoso/desk"}
    assert {(each.name, each.default_branch, each.tree) for each in await due(store, clock)} == {
        ("contoso/shop", "main", None),
        ("contoso/desk", "main", None),
    }


@pytest.mark.parametrize(
    "news",
    [{"pushed_at": NOON}, {"default_branch": "trunk"}],
    ids=["a push", "a renamed default branch"],
)
async def test_a_repository_with_news_is_due_and_others_are_left(
    store: DiscoverStore, clock: ManualClock, news: dict[str, str]
) -> None:
    await listed(store, clock, SHOP, DESK)
    await read(store, clock)
    clock.advance(HOUR)
    await listed(store, clock, replace(SHOP, **news), DESK)  # type: ignore[arg-type]
    [found] = await due(store, clock)
    assert (found.name, found.tree) == ("contoso/shop", "tree-1")
    assert found.default_branch == news.get("default_branch", "main")


async def test_what_was_pushed_to_just_before_the_listing_is_due_until_a_later_listing_has_settled_it(
    store: DiscoverStore, clock: ManualClock
) -> None:
    """Another push may bear the same time, however the bot's clock stands to the forge's."""
    lately, later = replace(SHOP, pushed_at=NOON, pushed_lately=True), replace(SHOP, pushed_at=NOON)
    for shown, names in ((SHOP, ["contoso/shop"]), *[(lately, ["contoso/shop"])] * 2, (later, ["contoso/shop"])):
        await listed(store, clock, shown)
        assert [each.name for each in await due(store, clock)] == names
        clock.advance(HOUR)
        await read(store, clock)
    await listed(store, clock, later)
    assert await due(store, clock) == []


async def test_what_another_reader_read_is_due_again(store: DiscoverStore, clock: ManualClock) -> None:
    await listed(store, clock, SHOP, reader="first")
    await read(store, clock)
    for reader, names in (("first", []), ("second", ["contoso/shop"])):
        clock.advance(HOUR)
        await listed(store, clock, SHOP, reader=reader)
        assert [each.name for each in await due(store, clock)] == names


async def test_news_during_a_reading_are_read_again(store: DiscoverStore, clock: ManualClock) -> None:
    await listed(store, clock, SHOP)
    [busy] = await due(store, clock)
    clock.advance(HOUR)
    await listed(store, clock, replace(SHOP, pushed_at=NOON))
    with pytest.raises(LeaseLost):
        await store.save_reading(busy, READING, clock.now() + 24 * HOUR)
    assert [each.tree for each in await due(store, clock)] == [None]


async def test_a_repository_that_is_gone_is_not_read_and_one_that_is_kept_is(
    store: DiscoverStore, clock: ManualClock
) -> None:
    await listed(store, clock, SHOP, DESK)
    await read(store, clock)
    clock.advance(HOUR)
    await listed(store, clock, kept=["contoso/desk"], trouble="access was lost")
    fleet = await store.known_fleet()
    assert (fleet.names, fleet.short_since) == ({"contoso/desk"}, clock.now())
    clock.advance(48 * HOUR)
    assert [each.name for each in await due(store, clock)] == ["contoso/desk"]


async def test_a_repository_that_comes_back_is_read_anew(store: DiscoverStore, clock: ManualClock) -> None:
    await listed(store, clock, SHOP)
    await read(store, clock)
    for shown in ((), (SHOP,)):
        clock.advance(HOUR)
        await listed(store, clock, *shown)
    assert [(each.name, each.tree) for each in await due(store, clock)] == [("contoso/shop", None)]


async def test_an_error_is_over_when_the_tree_is_found_where_it_was(
    store: DiscoverStore, clock: ManualClock
) -> None:
    await listed(store, clock, SHOP)
    await store.repositories.put_off(await store.repositories.claim(clock.now(), 10), clock.now(), error="HTTP 404")
    [found] = await due(store, clock)
    assert (found.attempts, found.error) == (2, "HTTP 404")
    await store.keep_reading(found, clock.now())
    [found] = await due(store, clock)
    assert (found.attempts, found.error) == (1, None)


async def test_whoever_lost_the_lease_keeps_no_reading(
    store: DiscoverStore, clock: ManualClock, steal: Steal
) -> None:
    await listed(store, clock, SHOP)
    [found] = await due(store, clock)
    await steal(store.repositories, repositories, found.id)
    for keep in (store.save_reading(found, READING, clock.now()), store.keep_reading(found, clock.now())):
        with pytest.raises(LeaseLost):
            await keep


async def test_contents_are_kept_by_their_name(store: DiscoverStore) -> None:
    await store.save_blobs({"sha-a": b"FROM a", "sha-b": b"\x00\xff"})
    await store.save_blobs({"sha-a": b"FROM a"})
    assert await store.known_blobs(["sha-a", "sha-b", "sha-c"]) == {"sha-a": b"FROM a", "sha-b": b"\x00\xff"}
