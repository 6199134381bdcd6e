"""`WatchStore`, in memory and on both databases."""

import pytest

from bot.domain.bases.incident import Incident
from bot.domain.bases.observation import Observation, ShowsTwo, Sight
from bot.domain.clock import ManualClock
from bot.domain.failure import LeaseLost
from bot.domain.repositories.repository import Reading, Repository
from bot.fleet.watch.registry.ports import DueBase, Poll, Sighting, WatchStore
from bot.store.rows.bases.tables import bases
from tests.fakes.stores.watch import FakeWatchStore
from tests.integration.store.conftest import NOON
from tests.integration.store.contracts.conftest import Steal
from tests.integration.store.filling import ASPNET, HOUR, SDK, Stores, digest, usage_of

TROUBLE = Incident("registry:mcr.microsoft.com", NOON, "mcr.microsoft.com: no answer")


@pytest.fixture
async def store(real: Stores | None, clock: ManualClock) -> WatchStore:
    """Two bases, due now."""
    if real is None:
        return FakeWatchStore((ASPNET, SDK), clock)
    await real.listing(Repository("contoso/shop", "main"))
    await real.read(Reading("tree-1", tuple((usage_of(base), base) for base in (ASPNET, SDK))))
    return real.watch


async def due(store: WatchStore, clock: ManualClock) -> list[DueBase]:
    claims = await store.bases.claim(clock.now(), 10)
    return [await store.bases.read(claimed) for claimed in claims]


def shows(base: DueBase, letter: str, clock: ManualClock) -> Sighting:
    now = clock.now()
    return Sighting(base.id, Sight.MOVED, Observation(now, base.base, digest(letter), "10.0.5"), now + HOUR)


async def test_a_base_that_was_never_seen_is_due_with_nothing_known(store: WatchStore, clock: ManualClock) -> None:
    found = await due(store, clock)
    assert [(each.base, each.digest, each.unconfirmed) for each in found] == [
        (ASPNET, None, None),
        (SDK, None, None),
    ]
    assert await due(store, clock) == []


async def test_what_was_recorded_is_known_when_the_base_is_due_again(store: WatchStore, clock: ManualClock) -> None:
    for letter in "ab":
        await store.record([shows(each, letter, clock) for each in await due(store, clock)], {})
        assert await due(store, clock) == []
        clock.advance(HOUR)
    [aspnet, _] = await due(store, clock)
    assert (aspnet.digest, aspnet.version, aspnet.moved_at) == (digest("b"), "10.0.5", NOON + HOUR)
    assert await store.earlier_digests(aspnet.id) == {digest("a"), digest("b")}


async def test_a_poll_without_news_ends_attempts_and_error(store: WatchStore, clock: ManualClock) -> None:
    claims = await store.bases.claim(clock.now(), 1)
    await store.bases.put_off(claims, clock.now(), error="no answer")
    again = await store.bases.claim(clock.now(), 10)
    assert sorted(claimed.attempts for claimed in again) == [1, 2]
    await store.reschedule([Poll(claimed.id, NOON + HOUR) for claimed in again])
    clock.advance(HOUR)
    assert [claimed.attempts for claimed in await store.bases.claim(clock.now(), 10)] == [1, 1]


async def test_a_return_seen_once_is_known_at_the_next_poll_and_forgotten_by_any_other_sight(
    store: WatchStore, clock: ManualClock
) -> None:
    polls = [digest("z"), None, digest("z")]
    for unconfirmed in polls:
        first = (await due(store, clock))[0]
        await store.reschedule([Poll(first.id, clock.now() + HOUR, unconfirmed=unconfirmed)])
        clock.advance(HOUR)
        [known] = [each for each in await due(store, clock) if each.id == first.id]
        assert known.unconfirmed == unconfirmed
        await store.reschedule([Poll(first.id, clock.now(), unconfirmed=unconfirmed)])
    [first] = [each for each in await due(store, clock) if each.id == first.id]
    await store.record([shows(first, "b", clock)], {})
    clock.advance(HOUR)
    assert [each.unconfirmed for each in await due(store, clock) if each.id == first.id] == [None]


async def test_a_registry_that_shows_two_is_known_at_the_next_poll_and_forgotten_with_a_move(
    store: WatchStore, clock: ManualClock
) -> None:
    doubt = ShowsTwo(digest("z"), NOON)
    first, second = await due(store, clock)
    await store.reschedule([Poll(first.id, clock.now(), shows_two=doubt), Poll(second.id, clock.now() + 9 * HOUR)])
    [known] = await due(store, clock)
    assert known.shows_two == doubt
    await store.record([shows(known, "b", clock)], {})
    clock.advance(HOUR)
    assert [each.shows_two for each in await due(store, clock)] == [None]


async def test_rescheduling_what_another_has_taken_over_does_nothing(
    store: WatchStore, clock: ManualClock, steal: Steal
) -> None:
    first, second = await due(store, clock)
    await steal(store.bases, bases, first.id)
    await store.reschedule([Poll(each.id, clock.now()) for each in (first, second)])
    assert [each.id for each in await due(store, clock)] == [second.id]


async def test_a_sighting_by_whoever_lost_the_lease_leaves_no_trace(
    store: WatchStore, clock: ManualClock, steal: Steal
) -> None:
    found = await due(store, clock)
    await steal(store.bases, bases, found[1].id)
    with pytest.raises(LeaseLost):
        await store.record([shows(each, "a", clock) for each in found], {digest("a"): b"{}"})
    assert await store.earlier_digests(found[0].id) == frozenset()
    assert await store.manifests([digest("a")]) == {}


async def test_manifests_are_kept_by_digest(store: WatchStore, clock: ManualClock) -> None:
    [first, _] = await due(store, clock)
    await store.record([shows(first, "a", clock)], {digest("a"): b'{"a": 1}'})
    assert await store.manifests([digest("a"), digest("b")]) == {digest("a"): b'{"a": 1}'}


async def test_an_open_incident_keeps_its_beginning_until_it_is_cleared(store: WatchStore) -> None:
    await store.save_incidents([TROUBLE], [])
    await store.save_incidents([Incident(TROUBLE.subject, NOON + HOUR, "worse")], [])
    assert list(await store.open_incidents("registry:")) == [TROUBLE]
    assert list(await store.open_incidents("feed:")) == []
    await store.save_incidents([], [TROUBLE])
    assert list(await store.open_incidents("registry:")) == []
