from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, LeaseLost, Trouble
from bot.domain.rollouts.rebuild import State
from bot.domain.wording.message import Message
from bot.reconcile.loop import Loop
from bot.reconcile.work import Claimed
from bot.report.news import IncidentNews, NoticeNews
from bot.report.ports import DueMessage
from bot.report.rollout_news import RolloutNews
from bot.report.stage import tick
from tests.builders import NOON, rebuild, rollout
from tests.fakes.queue import StoredRows

PLACE = {"channel": "C1", "ts": "1.1"}
NO_ANSWER = Failure(Trouble.UNREACHABLE, "no answer")
GONE = Failure(Trouble.MISSING, "message_not_found")


@dataclass(slots=True)
class Store:
    """Messages as the outbox keeps them."""

    clock: ManualClock
    kept: dict[str, DueMessage] = field(default_factory=dict)
    told: dict[str, int] = field(default_factory=dict)
    due_at: dict[str, datetime] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    rollouts: dict[int, RolloutNews] = field(default_factory=dict)
    lost: bool = False

    def announce(self, key: str = "rollout:3", **values: Any) -> None:
        known = self.kept.get(key) or DueMessage(len(self.kept) + 1, key, 0, None, None, 0, NOON)
        self.kept[key] = replace(known, wanted=known.wanted + 1, **values)
        self.due_at[key] = self.clock.now()

    @property
    def messages(self) -> StoredRows[DueMessage]:
        return StoredRows(self._take, self._put_off)

    def _take(self, now: datetime, limit: int) -> list[tuple[Claimed, DueMessage]]:
        due = [
            message
            for key, message in self.kept.items()
            if message.wanted > self.told.get(key, 0) and self.due_at[key] <= now
        ]
        for message in due[:limit]:
            self.kept[message.key] = replace(message, attempts=message.attempts + 1)
        taken = [self.kept[message.key] for message in due[:limit]]
        return [(Claimed(message.id, message.key, message.attempts), message) for message in taken]

    def _put_off(self, message: DueMessage, due_at: datetime, error: str | None, attempted: bool) -> None:
        self.errors += [error] if error else []
        self.due_at[message.key] = due_at
        self.kept[message.key] = replace(message, attempts=message.attempts - (not attempted))

    async def message_sent(self, message: DueMessage, fingerprint: str, remote: dict[str, str] | None) -> None:
        if self.lost:
            self.told[message.key] = 99
            raise LeaseLost("taken over")
        self.told[message.key] = message.wanted
        self.kept[message.key] = replace(self.kept[message.key], sent=fingerprint, remote=remote, attempts=0)

    async def rollout(self, id: int) -> RolloutNews:  # noqa: A002 - the port's name
        return self.rollouts.get(id, rollout())

    async def incident(self, id: int) -> IncidentNews:  # noqa: A002
        return IncidentNews("mcr.microsoft.com", NOON, None, "no answer")

    async def notice(self, id: int) -> Sequence[NoticeNews]:  # noqa: A002
        raise NotImplementedError


@dataclass(slots=True)
class Channel:
    can_update: bool = True
    posted: list[tuple[str, datetime | None]] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    failing: list[Failure] = field(default_factory=list)
    failing_updates: list[Failure] = field(default_factory=list)

    async def post(self, key: str, message: Message, maybe_sent_since: datetime | None) -> dict[str, str] | None:
        if self.failing:
            raise self.failing.pop(0)
        self.posted.append((key, maybe_sent_since))
        return dict(PLACE) if self.can_update else None

    async def update(self, remote: dict[str, str], key: str, message: Message) -> None:
        if self.failing_updates:
            raise self.failing_updates.pop(0)
        self.updated.append(key)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
def store(clock: ManualClock) -> Store:
    return Store(clock)


async def test_an_announced_message_is_posted_once(store: Store, clock: ManualClock) -> None:
    store.announce()
    channel = Channel()
    assert (await tick(store, channel, Loop(clock))).sent == 1
    assert (await tick(store, channel, Loop(clock))).sent == 0
    assert channel.posted == [("rollout:3", None)]


async def test_news_are_written_into_the_same_message(store: Store, clock: ManualClock) -> None:
    channel = Channel()
    store.announce()
    await tick(store, channel, Loop(clock))
    store.rollouts[3] = rollout(rebuild(state=State.SUCCEEDED), ended=NOON)
    store.announce()
    await tick(store, channel, Loop(clock))
    assert (len(channel.posted), channel.updated) == (1, ["rollout:3"])


async def test_the_same_words_are_not_sent_again(store: Store, clock: ManualClock) -> None:
    channel = Channel()
    for _ in range(2):
        store.announce()
        await tick(store, channel, Loop(clock))
    assert (len(channel.posted), channel.updated) == (1, [])


async def test_a_message_that_somebody_deleted_is_posted_anew(store: Store, clock: ManualClock) -> None:
    channel = Channel(failing_updates=[GONE])
    store.announce(remote=PLACE, sent="old words")
    await tick(store, channel, Loop(clock))
    assert channel.posted == [("rollout:3", None)]


async def test_after_a_lost_answer_the_message_is_looked_for_first(store: Store, clock: ManualClock) -> None:
    channel = Channel(failing=[NO_ANSWER])
    store.announce()
    await tick(store, channel, Loop(clock))
    clock.advance(timedelta(minutes=1))
    await tick(store, channel, Loop(clock))
    assert channel.posted == [("rollout:3", NOON - timedelta(minutes=1))]


# A channel that cannot edit


async def test_a_webhook_hears_when_a_rollout_begins_and_when_it_ends(store: Store, clock: ManualClock) -> None:
    channel = Channel(can_update=False)
    for state, ended in (
        (State.PLANNED, None),
        (State.OPEN, None),
        (State.SUCCEEDED, NOON),
        (State.SUCCEEDED, NOON),
    ):
        store.rollouts[3] = rollout(rebuild(state=state), ended=ended)
        store.announce()
        await tick(store, channel, Loop(clock))
    assert [key for key, _ in channel.posted] == ["rollout:3", "rollout:3"]


async def test_a_rollout_that_ended_at_once_is_one_message(store: Store, clock: ManualClock) -> None:
    channel = Channel(can_update=False)
    store.rollouts[3] = rollout(rebuild(state=State.SKIPPED), ended=NOON)
    store.announce()
    await tick(store, channel, Loop(clock))
    assert len(channel.posted) == 1


async def test_a_webhook_never_edits_what_a_bot_once_posted(store: Store, clock: ManualClock) -> None:
    channel = Channel(can_update=False)
    store.announce(remote=PLACE, sent="words of the bot")
    await tick(store, channel, Loop(clock))
    assert (len(channel.posted), channel.updated) == (1, [])


# A channel in trouble


async def test_a_silent_channel_ends_the_tick_and_loses_nothing(store: Store, clock: ManualClock) -> None:
    for number in range(1, 31):
        store.announce(f"incident:{number}")
    channel = Channel(failing=[NO_ANSWER])
    tally = await tick(store, channel, Loop(clock))
    assert (tally.sent, tally.problems) == (0, ("no answer",))
    assert store.errors == ["no answer"] * 20
    clock.advance(timedelta(minutes=1))
    assert (await tick(store, channel, Loop(clock))).sent == 30


async def test_a_channel_that_asks_for_a_pause_gets_it(store: Store, clock: ManualClock) -> None:
    store.announce()
    slow = Failure(Trouble.THROTTLED, "ratelimited", retry_after=timedelta(minutes=7))
    await tick(store, Channel(failing=[slow]), Loop(clock))
    assert store.due_at["rollout:3"] == NOON + timedelta(minutes=7)


async def test_a_message_that_the_channel_refuses_stops_no_other(store: Store, clock: ManualClock) -> None:
    for number in range(1, 4):
        store.announce(f"incident:{number}")
    channel = Channel(failing=[Failure(Trouble.MALFORMED, "invalid_blocks")])
    tally = await tick(store, channel, Loop(clock))
    assert (tally.sent, tally.problems) == (2, ("invalid_blocks",))


async def test_a_message_that_another_has_taken_over_is_left(store: Store, clock: ManualClock) -> None:
    store.announce()
    store.lost = True
    tally = await tick(store, Channel(), Loop(clock))
    assert (tally.sent, tally.problems) == (0, ())
