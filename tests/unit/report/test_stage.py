from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, LeaseLost, Trouble
from bot.domain.rollouts.policy import Match
from bot.domain.rollouts.rebuild import State
from bot.domain.wording.message import Message
from bot.reconcile.loop import Loop
from bot.reconcile.work import Claimed
from bot.report import stage
from bot.report.destinations import About, Destination
from bot.report.news import IncidentNews, NoticeNews
from bot.report.ports import DueMessage
from bot.report.rollout_news import RolloutNews
from bot.report.stage import ReportTally
from bot.report.wave_news import WaveNews
from tests.builders import NOON, change, rebuild, rollout
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
    waves: dict[str, WaveNews] = field(default_factory=dict)
    lost: bool = False

    def announce(self, key: str = "rollout:3", destination: str = "slack", **values: Any) -> None:
        name = f"{key}@{destination}"
        known = self.kept.get(name) or DueMessage(len(self.kept) + 1, key, 0, None, None, 0, NOON, destination)
        self.kept[name] = replace(known, wanted=known.wanted + 1, **values)
        self.due_at[name] = self.clock.now()

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
            self.kept[_name(message)] = replace(message, attempts=message.attempts + 1)
        taken = [self.kept[_name(message)] for message in due[:limit]]
        return [(Claimed(message.id, message.key, message.attempts), message) for message in taken]

    def _put_off(self, message: DueMessage, due_at: datetime, error: str | None, attempted: bool) -> None:
        self.errors += [error] if error else []
        self.due_at[_name(message)] = due_at
        self.kept[_name(message)] = replace(message, attempts=message.attempts - (not attempted))

    async def spread(self, message: DueMessage, destinations: Collection[str]) -> None:
        self.told[_name(message)] = message.wanted
        for name in destinations:
            self.announce(message.key, name)

    async def message_sent(
        self, message: DueMessage, fingerprint: str, remote: dict[str, str] | None, rest: timedelta
    ) -> None:
        name = _name(message)
        if self.lost:
            self.told[name] = 99
            raise LeaseLost("taken over")
        self.told[name] = message.wanted
        self.kept[name] = replace(self.kept[name], sent=fingerprint, remote=remote, attempts=0)

    async def remote_of(self, key: str, destination: str) -> dict[str, str] | None:
        return self.kept[f"{key}@{destination}"].remote

    async def about(self, rollout: int) -> About:
        return About(("contoso/shop",), (change(),))

    async def wave(self, rollout: int, name: str, only: Collection[str] | None = None) -> WaveNews:
        return self.waves[name]

    async def rollout(self, id: int, only: Collection[str] | None = None) -> RolloutNews:  # noqa: A002
        return self.rollouts.get(id, rollout())

    async def incident(self, id: int) -> IncidentNews:  # noqa: A002
        return IncidentNews("mcr.microsoft.com", NOON, None, "no answer")

    async def notice(self, id: int) -> Sequence[NoticeNews]:  # noqa: A002
        raise NotImplementedError


@dataclass(slots=True)
class Channel:
    can_update: bool = True
    posted: list[tuple[str, datetime | None]] = field(default_factory=list)
    threads: list[dict[str, str] | None] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    failing: list[Failure] = field(default_factory=list)
    failing_updates: list[Failure] = field(default_factory=list)

    async def post(
        self,
        key: str,
        message: Message,
        *,
        thread: dict[str, str] | None = None,
        maybe_sent_since: datetime | None = None,
    ) -> dict[str, str] | None:
        if self.failing:
            raise self.failing.pop(0)
        self.threads.append(thread)
        self.posted.append((key, maybe_sent_since))
        return dict(PLACE) if self.can_update else None

    async def update(self, remote: dict[str, str], key: str, message: Message) -> None:
        if self.failing_updates:
            raise self.failing_updates.pop(0)
        self.updated.append(key)


def _name(message: DueMessage) -> str:
    return f"{message.key}@{message.destination}"


async def tick(store: Store, channel: Channel, loop: Loop) -> ReportTally:
    """One tick with a single place where everything is told."""
    return await stage.tick(store, (Destination("slack", channel),), loop)


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
    assert store.errors == ["no answer"] * 30
    clock.advance(timedelta(minutes=1))
    assert (await tick(store, channel, Loop(clock))).sent == 30


async def test_a_channel_that_asks_for_a_pause_gets_it(store: Store, clock: ManualClock) -> None:
    store.announce()
    slow = Failure(Trouble.THROTTLED, "ratelimited", retry_after=timedelta(minutes=7))
    await tick(store, Channel(failing=[slow]), Loop(clock))
    assert store.due_at["rollout:3@slack"] == NOON + timedelta(minutes=7)


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


# Several places


async def test_news_are_told_wherever_they_are_heard(store: Store, clock: ManualClock) -> None:
    everything, payments, shops = Channel(), Channel(), Channel()
    store.announce(destination="")
    await stage.tick(
        store,
        (
            Destination("slack", everything),
            Destination("slack:C1", payments, Match(repositories=("contoso/payments-*",))),
            Destination("slack:C2", shops, Match(repositories=("contoso/shop*",))),
        ),
        Loop(clock),
    )
    assert [len(each.posted) for each in (everything, payments, shops)] == [1, 0, 1]


async def test_a_channel_in_trouble_keeps_no_other_waiting(store: Store, clock: ManualClock) -> None:
    silent, well = Channel(failing=[NO_ANSWER]), Channel()
    store.announce(destination="")
    await stage.tick(store, (Destination("slack", silent), Destination("teams", well)), Loop(clock))
    assert [len(each.posted) for each in (silent, well)] == [0, 1]


async def test_a_place_that_is_no_longer_named_is_told_nothing_and_asks_for_nothing(
    store: Store, clock: ManualClock
) -> None:
    store.announce(destination="slack:C9")
    tally = await tick(store, Channel(), Loop(clock))
    assert (tally.sent, tally.problems) == (0, ())
    assert store.told["rollout:3@slack:C9"] == 1


async def test_a_wave_is_answered_below_its_rollout(store: Store, clock: ManualClock) -> None:
    channel = Channel()
    store.waves["canary"] = WaveNews(3, ".NET 10.0.5 fixes 1 CVE", "canary", 2, 12, 11, 1)
    store.announce()
    store.announce("wave:3:canary")
    await tick(store, channel, Loop(clock))
    assert [key for key, _ in channel.posted] == ["rollout:3", "wave:3:canary"]
    assert channel.threads == [None, PLACE]


async def test_a_wave_of_which_there_is_nothing_to_say_is_not_answered(store: Store, clock: ManualClock) -> None:
    channel = Channel()
    store.waves["rest"] = WaveNews(3, ".NET 10.0.5 fixes 1 CVE", "rest", 1, 12, 12, 0, done_since=NOON)
    store.announce("wave:3:rest")
    await tick(store, channel, Loop(clock))
    assert channel.posted == []
