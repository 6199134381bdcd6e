"""`ReportStore`, in memory and on both databases."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from bot.domain.clock import ManualClock
from bot.domain.failure import LeaseLost
from bot.fleet.report.tick import DueMessage, ReportStore
from bot.store.rows.tables import announce, outbox
from tests.fakes.stores.report import FakeReportStore
from tests.integration.store.contracts.conftest import Steal
from tests.integration.store.filling import HOUR, Stores

NO_REST = timedelta(0)
PLACE = {"channel": "C1", "ts": "1.1"}
Say = Callable[[str], Awaitable[None]]


@pytest.fixture
def store(real: Stores | None, clock: ManualClock) -> ReportStore:
    return FakeReportStore(clock) if real is None else real.report


@pytest.fixture
def say(real: Stores | None, store: ReportStore, clock: ManualClock) -> Say:
    """Announces that there is news."""

    async def announced(key: str) -> None:
        if isinstance(store, FakeReportStore):
            store.announce(key)
            return
        assert real is not None
        async with real.database.transaction() as connection:
            await announce(connection, key, clock.now())

    return announced


async def due(store: ReportStore, clock: ManualClock) -> list[DueMessage]:
    claims = await store.messages.claim(clock.now(), 10)
    return [await store.messages.read(claimed) for claimed in claims]


async def test_an_announcement_is_due_at_once(store: ReportStore, say: Say, clock: ManualClock) -> None:
    await say("rollout:1")
    [message] = await due(store, clock)
    assert (message.key, message.sent, message.remote, message.attempts) == ("rollout:1", None, None, 1)
    assert message.created_at == clock.now()


async def test_announcements_of_one_thing_are_one_message(store: ReportStore, say: Say, clock: ManualClock) -> None:
    for key in ("rollout:1", "rollout:1", "incident:1"):
        await say(key)
    assert [message.key for message in await due(store, clock)] == ["rollout:1", "incident:1"]


async def test_a_sent_message_rests_until_it_is_announced_again(
    store: ReportStore, say: Say, clock: ManualClock
) -> None:
    await say("rollout:1")
    [message] = await due(store, clock)
    await store.message_sent(message, "print-1", PLACE, NO_REST)
    assert await due(store, clock) == []
    await say("rollout:1")
    [again] = await due(store, clock)
    assert (again.id, again.sent, again.remote, again.attempts) == (message.id, "print-1", PLACE, 1)


async def test_an_announcement_while_the_message_is_on_its_way_stays_due(
    store: ReportStore, say: Say, clock: ManualClock
) -> None:
    await say("rollout:1")
    [message] = await due(store, clock)
    await say("rollout:1")
    await store.message_sent(message, "print-1", None, NO_REST)
    assert len(await due(store, clock)) == 1


async def test_a_failed_message_rests_and_then_counts_its_attempts(
    store: ReportStore, say: Say, clock: ManualClock
) -> None:
    await say("rollout:1")
    claims = await store.messages.claim(clock.now(), 10)
    await store.messages.put_off(claims, clock.now() + HOUR, error="Slack: no answer")
    assert await due(store, clock) == []
    clock.advance(HOUR)
    assert [message.attempts for message in await due(store, clock)] == [2]


async def test_an_announcement_does_not_wake_a_message_that_the_channel_asked_to_rest(
    store: ReportStore, say: Say, clock: ManualClock
) -> None:
    await say("rollout:1")
    claims = await store.messages.claim(clock.now(), 10)
    await store.messages.put_off(claims, clock.now() + HOUR, error="too many requests")
    await say("rollout:1")
    assert await due(store, clock) == []
    clock.advance(HOUR)
    assert len(await due(store, clock)) == 1


async def test_whoever_lost_the_lease_stores_nothing_of_what_it_sent(
    store: ReportStore, say: Say, clock: ManualClock, steal: Steal
) -> None:
    await say("rollout:1")
    [message] = await due(store, clock)
    await steal(store.messages, outbox, message.id)
    with pytest.raises(LeaseLost):
        await store.message_sent(message, "late", PLACE, NO_REST)
    clock.advance(HOUR)
    assert [(again.sent, again.remote) for again in await due(store, clock)] == [(None, None)]


async def test_what_is_announced_of_a_message_sent_a_moment_ago_waits_for_its_rest(
    store: ReportStore, say: Say, clock: ManualClock
) -> None:
    await say("rollout:1")
    [message] = await due(store, clock)
    await store.message_sent(message, "print-1", PLACE, HOUR)
    await say("rollout:1")
    assert await due(store, clock) == []
    clock.advance(HOUR)
    assert [again.id for again in await due(store, clock)] == [message.id]


async def test_news_are_spread_to_each_destination_as_a_message_of_its_own(
    store: ReportStore, say: Say, clock: ManualClock
) -> None:
    await say("rollout:1")
    [news] = await due(store, clock)
    await store.spread(news, ["teams", "slack"])
    found = await due(store, clock)
    assert [(each.key, each.destination, each.wanted) for each in found] == [
        ("rollout:1", "slack", 1),
        ("rollout:1", "teams", 1),
    ]
    await store.message_sent(found[0], "print-1", PLACE, NO_REST)
    assert await store.remote_of("rollout:1", "slack") == PLACE
    assert await store.remote_of("rollout:1", "teams") is None
    assert await store.remote_of("rollout:2", "slack") is None
