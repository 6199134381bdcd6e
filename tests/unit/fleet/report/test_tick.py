from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, Trouble
from bot.domain.rollouts.policy import Match
from bot.domain.rollouts.rebuild import RebuildState
from bot.domain.wording.message import Footnote, Message
from bot.fleet.report import tick as stage
from bot.fleet.report.destinations import Destination, FoundMessage
from bot.fleet.report.messages.rollout import rollout_message
from bot.fleet.report.messages.waves import WaveNews
from bot.fleet.report.tick import ReportTally
from bot.reconcile.loop import Loop
from tests.builders import NOON, rebuild, rollout
from tests.fakes.stores.report import FakeReportStore

PLACE = {"channel": "C1", "ts": "1.1"}
NO_ANSWER = Failure(Trouble.UNREACHABLE, "no answer")
GONE = Failure(Trouble.MISSING, "message_not_found")


@dataclass(slots=True)
class Channel:
    can_update: bool = True
    posted: list[tuple[str, datetime | None]] = field(default_factory=list)
    threads: list[dict[str, str] | None] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
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
        self.messages.append(message)
        self.posted.append((key, maybe_sent_since))
        return dict(PLACE) if self.can_update else None

    async def update(self, remote: dict[str, str], key: str, message: Message) -> None:
        if self.failing_updates:
            raise self.failing_updates.pop(0)
        self.updated.append(key)


async def tick(store: FakeReportStore, channel: Channel, loop: Loop) -> ReportTally:
    """One tick with a single place where everything is told."""
    return await stage.tick(store, (Destination("slack", channel),), loop)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
def store(clock: ManualClock) -> FakeReportStore:
    return FakeReportStore(clock)


async def test_an_announced_message_is_posted_once(store: FakeReportStore, clock: ManualClock) -> None:
    store.announce(destination="slack")
    channel = Channel()
    assert (await tick(store, channel, Loop(clock))).sent == 1
    assert (await tick(store, channel, Loop(clock))).sent == 0
    assert channel.posted == [("rollout:3", None)]


async def test_a_message_leads_to_its_page_where_there_is_one(store: FakeReportStore, clock: ManualClock) -> None:
    store.announce(destination="slack")
    channel = Channel()
    page = "https://freshness.example.com/"
    await stage.tick(store, (Destination("slack", channel),), Loop(clock), page=page)
    [message] = channel.messages
    assert isinstance(message.blocks[-1], Footnote)
    assert message.blocks[-1].page == "https://freshness.example.com/rollouts/3"


async def test_news_are_written_into_the_same_message(store: FakeReportStore, clock: ManualClock) -> None:
    channel = Channel()
    store.announce(destination="slack")
    await tick(store, channel, Loop(clock))
    store.rollouts[3] = rollout(rebuild(state=RebuildState.SUCCEEDED), ended=NOON)
    store.announce(destination="slack")
    await tick(store, channel, Loop(clock))
    assert (len(channel.posted), channel.updated) == (1, ["rollout:3"])


async def test_the_same_words_are_not_sent_again(store: FakeReportStore, clock: ManualClock) -> None:
    channel = Channel()
    for _ in range(2):
        store.announce(destination="slack")
        await tick(store, channel, Loop(clock))
    assert (len(channel.posted), channel.updated) == (1, [])


async def test_a_message_that_somebody_deleted_is_posted_anew(store: FakeReportStore, clock: ManualClock) -> None:
    channel = Channel(failing_updates=[GONE])
    store.announce(destination="slack", remote=PLACE, sent="old words")
    await tick(store, channel, Loop(clock))
    assert channel.posted == [("rollout:3", None)]


async def test_after_a_lost_answer_the_message_is_looked_for_first(
    store: FakeReportStore, clock: ManualClock
) -> None:
    channel = Channel(failing=[NO_ANSWER])
    store.announce(destination="slack")
    await tick(store, channel, Loop(clock))
    clock.advance(timedelta(minutes=1))
    await tick(store, channel, Loop(clock))
    assert channel.posted == [("rollout:3", NOON - timedelta(minutes=1))]


# A channel that cannot edit


async def test_a_webhook_hears_when_a_rollout_begins_and_when_it_ends(
    store: FakeReportStore, clock: ManualClock
) -> None:
    channel = Channel(can_update=False)
    for state, ended in (
        (RebuildState.PLANNED, None),
        (RebuildState.OPEN, None),
        (RebuildState.SUCCEEDED, NOON),
        (RebuildState.SUCCEEDED, NOON),
    ):
        store.rollouts[3] = rollout(rebuild(state=state), ended=ended)
        store.announce(destination="slack")
        await tick(store, channel, Loop(clock))
    assert [key for key, _ in channel.posted] == ["rollout:3", "rollout:3"]


async def test_a_rollout_that_ended_at_once_is_one_message(store: FakeReportStore, clock: ManualClock) -> None:
    channel = Channel(can_update=False)
    store.rollouts[3] = rollout(rebuild(state=RebuildState.SKIPPED), ended=NOON)
    store.announce(destination="slack")
    await tick(store, channel, Loop(clock))
    assert len(channel.posted) == 1


async def test_a_webhook_never_edits_what_a_bot_once_posted(store: FakeReportStore, clock: ManualClock) -> None:
    channel = Channel(can_update=False)
    store.announce(destination="slack", remote=PLACE, sent="words of the bot")
    await tick(store, channel, Loop(clock))
    assert (len(channel.posted), channel.updated) == (1, [])


# A channel in trouble


async def test_a_silent_channel_ends_the_tick_and_loses_nothing(store: FakeReportStore, clock: ManualClock) -> None:
    for number in range(1, 31):
        store.announce(f"incident:{number}", "slack")
    channel = Channel(failing=[NO_ANSWER])
    tally = await tick(store, channel, Loop(clock))
    assert (tally.sent, tally.problems) == (0, ("no answer",))
    assert [row.error for row in store.messages.rows.values() if row.error] == ["no answer"] * 30
    clock.advance(timedelta(minutes=1))
    assert (await tick(store, channel, Loop(clock))).sent == 30


async def test_a_channel_that_asks_for_a_pause_gets_it(store: FakeReportStore, clock: ManualClock) -> None:
    store.announce(destination="slack")
    slow = Failure(Trouble.THROTTLED, "ratelimited", retry_after=timedelta(minutes=7))
    await tick(store, Channel(failing=[slow]), Loop(clock))
    assert store.row("rollout:3", "slack").due_at == NOON + timedelta(minutes=7)


async def test_a_message_that_the_channel_refuses_stops_no_other(
    store: FakeReportStore, clock: ManualClock
) -> None:
    for number in range(1, 4):
        store.announce(f"incident:{number}", "slack")
    channel = Channel(failing=[Failure(Trouble.MALFORMED, "invalid_blocks")])
    tally = await tick(store, channel, Loop(clock))
    assert (tally.sent, tally.problems) == (2, ("invalid_blocks",))


async def test_a_message_that_another_has_taken_over_is_left(store: FakeReportStore, clock: ManualClock) -> None:
    store.announce(destination="slack")
    store.lost = True
    tally = await tick(store, Channel(), Loop(clock))
    assert (tally.sent, tally.problems) == (0, ())


# Several places


async def test_news_are_told_wherever_they_are_heard(store: FakeReportStore, clock: ManualClock) -> None:
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


async def test_a_channel_in_trouble_keeps_no_other_waiting(store: FakeReportStore, clock: ManualClock) -> None:
    silent, well = Channel(failing=[NO_ANSWER]), Channel()
    store.announce(destination="")
    await stage.tick(store, (Destination("slack", silent), Destination("teams", well)), Loop(clock))
    assert [len(each.posted) for each in (silent, well)] == [0, 1]


async def test_a_place_that_is_no_longer_named_is_told_nothing_and_asks_for_nothing(
    store: FakeReportStore, clock: ManualClock
) -> None:
    store.announce(destination="slack:C9")
    tally = await tick(store, Channel(), Loop(clock))
    assert (tally.sent, tally.problems) == (0, ())
    assert store.told[store.row("rollout:3", "slack:C9").id] == 1


async def test_a_wave_is_answered_below_its_rollout(store: FakeReportStore, clock: ManualClock) -> None:
    channel = Channel()
    store.waves["canary"] = WaveNews(3, ".NET 10.0.5 fixes 1 CVE", "canary", 2, 12, 11, 1)
    store.announce(destination="slack")
    store.announce("wave:3:canary", "slack")
    await tick(store, channel, Loop(clock))
    assert [key for key, _ in channel.posted] == ["rollout:3", "wave:3:canary"]
    assert channel.threads == [None, PLACE]


async def test_a_wave_of_which_there_is_nothing_to_say_is_not_answered(
    store: FakeReportStore, clock: ManualClock
) -> None:
    channel = Channel()
    store.waves["rest"] = WaveNews(3, ".NET 10.0.5 fixes 1 CVE", "rest", 1, 12, 12, 0, done_since=NOON)
    store.announce("wave:3:rest", "slack")
    await tick(store, channel, Loop(clock))
    assert channel.posted == []


# What was told before the store was lost


@dataclass(slots=True)
class Finding(Channel):
    """A channel that tells what it has: one message, or none."""

    found: FoundMessage | None = None
    sought_since: list[datetime] = field(default_factory=list)

    async def find(self, message: Message, since: datetime) -> FoundMessage | None:
        self.sought_since.append(since)
        return self.found


def about(store: FakeReportStore) -> frozenset[str]:
    return frozenset(rollout_message(store.rollouts.get(3, rollout(rebuild()))).about)


async def test_what_channels_had_before_is_found_and_edited_there(
    store: FakeReportStore, clock: ManualClock
) -> None:
    channel = Finding(found=FoundMessage(PLACE, about(store)))
    store.announce(destination="slack", is_known_before=True)
    await tick(store, channel, Loop(clock))
    assert (channel.posted, channel.updated) == ([], ["rollout:3"])
    assert channel.sought_since == [NOON - timedelta(days=14)]
    store.rollouts[3] = rollout(rebuild(state=RebuildState.SUCCEEDED), ended=NOON)
    store.announce(destination="slack")
    await tick(store, channel, Loop(clock))
    assert (channel.posted, len(channel.updated), len(channel.sought_since)) == ([], 2, 1)


async def test_what_tells_of_more_than_is_known_now_is_edited_once_there_is_news(
    store: FakeReportStore, clock: ManualClock
) -> None:
    channel = Finding(found=FoundMessage(PLACE, about(store) | {"of another base"}))
    store.announce(destination="slack", is_known_before=True)
    await tick(store, channel, Loop(clock))
    assert (channel.posted, channel.updated) == ([], [])
    store.rollouts[3] = rollout(rebuild(state=RebuildState.SUCCEEDED), ended=NOON)
    store.announce(destination="slack")
    await tick(store, channel, Loop(clock))
    assert (channel.posted, channel.updated) == ([], ["rollout:3"])


async def test_what_is_not_found_is_not_told_anew(store: FakeReportStore, clock: ManualClock) -> None:
    gone = Finding(found=FoundMessage(PLACE, about(store)), failing_updates=[GONE])
    for channel in (Finding(), gone, Channel(can_update=False)):
        store.announce(destination="slack", is_known_before=True, sent=None)
        assert (await tick(store, channel, Loop(clock))).sent == 0
        assert (channel.posted, channel.updated) == ([], [])


async def test_a_webhook_tells_the_end_of_what_was_open_before(store: FakeReportStore, clock: ManualClock) -> None:
    channel = Channel(can_update=False)
    store.announce(destination="slack", is_known_before=True)
    await tick(store, channel, Loop(clock))
    store.rollouts[3] = rollout(rebuild(state=RebuildState.SUCCEEDED), ended=NOON)
    store.announce(destination="slack")
    await tick(store, channel, Loop(clock))
    assert channel.posted == [("rollout:3", None)]
