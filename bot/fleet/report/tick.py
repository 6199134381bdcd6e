"""One tick: messages that are due are worded from the present state and posted, or updated in place."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.failure import Failure, Trouble
from bot.domain.rollouts.policy import Match
from bot.domain.wording import pages
from bot.domain.wording.message import Message
from bot.fleet.report.destinations import About, Channel, Destination, FindsMessages, hears, part_of
from bot.fleet.report.messages.first_run import FirstRunNews, first_run_message
from bot.fleet.report.messages.news import OF_REPOSITORY, IncidentNews, NoticeNews, incident_message, notice_message
from bot.fleet.report.messages.rollout import RolloutNews, rollout_message
from bot.fleet.report.messages.stops import PauseNews, QuarantineNews, pause_message, quarantine_message
from bot.fleet.report.messages.summary import brief_summary
from bot.fleet.report.messages.waves import WaveNews, wave_message
from bot.reconcile.loop import Loop
from bot.reconcile.work import Claimed, Lease, Queue, Work, put_off_by_backoff
from bot.views.fleet.summary import Summary


@dataclass(frozen=True, slots=True)
class DueMessage:
    """`wanted` counts the announcements so far. One without a `destination` is news that nobody has been chosen for
    yet; of the others `sent` is the fingerprint of the text that the channel has, `remote` where it stands there.
    One that `is_known_before` may be there from before the store was lost.
    """

    id: int
    key: str
    wanted: int
    sent: str | None
    remote: dict[str, str] | None
    attempts: int
    created_at: datetime
    destination: str = ""
    is_known_before: bool = False


class ReportStore(Protocol):
    """What reporting asks of the store; each method is one transaction."""

    @property
    def messages(self) -> Queue[DueMessage]:
        """Those that the channel does not have in their newest words."""
        ...

    async def spread(self, message: DueMessage, destinations: Collection[str]) -> None:
        """Makes the news due for each of the destinations, in one transaction with its own end."""
        ...

    async def message_sent(
        self, message: DueMessage, fingerprint: str, remote: dict[str, str] | None, rest: timedelta
    ) -> None:
        """What is announced later waits until the message has stood for `rest`."""
        ...

    async def remote_of(self, key: str, destination: str) -> dict[str, str] | None:
        """Where a message stands in a channel; None where it does not."""
        ...

    async def about(self, rollout: int) -> About: ...

    async def rollout(self, id: int, only: Collection[str] | None = None) -> RolloutNews:  # noqa: A002
        """Reads a rollout as a message needs it; with `only`, as if the fleet had these repositories alone."""
        ...

    async def fleet(self) -> tuple[str, ...]:
        """The names of all repositories."""
        ...

    async def summary(self, id: int, only: Collection[str] | None = None) -> Summary: ...  # noqa: A002

    async def first_run(self, only: Collection[str] | None = None) -> FirstRunNews:
        """How stale the fleet is; with `only`, as if it had these repositories alone."""
        ...

    async def wave(self, rollout: int, name: str, only: Collection[str] | None = None) -> WaveNews: ...

    async def incident(self, id: int) -> IncidentNews: ...  # noqa: A002

    async def pause(self, id: int) -> PauseNews: ...  # noqa: A002

    async def quarantine(self, id: int) -> QuarantineNews: ...  # noqa: A002

    async def notice(self, id: int) -> Sequence[NoticeNews]:  # noqa: A002
        """Reads the notices that a message tells of."""
        ...


_OF_ONE_MESSAGE = frozenset({Trouble.MALFORMED, Trouble.CONFLICT})
_LOOKED_BACK = timedelta(days=14)
"""How far back a message is looked for that was sent before the store was lost."""
_EARLIER = timedelta(minutes=1)
"""Clocks differ: a lost message may bear a time a little before the one when it was wanted."""


@dataclass(frozen=True, slots=True)
class ReportTally:
    """How many messages were sent, and what hindered others, one line each."""

    sent: int = 0
    problems: tuple[str, ...] = ()


async def tick(
    store: ReportStore,
    destinations: Sequence[Destination],
    loop: Loop,
    *,
    rest: timedelta = timedelta(0),
    page: str | None = None,
) -> ReportTally:
    """Sends until nothing is due; a channel that does not answer ends the tick for it, and a later one goes on.

    A message that a channel does not understand keeps no other from being sent. A message that stands is edited
    again only after `rest`. `page` is where people reach the page, to which each message then leads.
    """
    messages = _Messages(store, destinations, rest, page)
    tally = await loop.run(messages)
    return ReportTally(messages.sent, tuple(tally.problems))


@dataclass(frozen=True, slots=True)
class _Spread:
    """Who hears a piece of news."""

    destinations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Delivery:
    """What the channel has now, and where; `is_news` where it had to be sent for that."""

    fingerprint: str
    remote: dict[str, str] | None
    is_news: bool


@dataclass(frozen=True, slots=True)
class _Worded:
    """A message with its milestone, which is all that a channel without updates is told; `path` is where the page
    tells more, `below` the key of the message that it is answered to."""

    message: Message
    milestone: str
    path: str = pages.FLEET
    below: str | None = None


class _Messages(Work[DueMessage, _Spread | _Delivery]):
    """One at a time for each channel, in the order in which they were announced."""

    stage = "report"
    rests_by_backoff = True
    at_once = 1

    def __init__(
        self, store: ReportStore, destinations: Sequence[Destination], rest: timedelta, page: str | None
    ) -> None:
        self._store = store
        self._destinations = {each.name: each for each in destinations}
        self._rest = rest
        self._page = page
        self.sent = 0

    @property
    def queue(self) -> Queue[DueMessage]:
        return self._store.messages

    def host(self, item: DueMessage) -> str:
        return item.destination

    async def attempt(self, item: DueMessage, lease: Lease) -> _Spread | _Delivery:
        if not item.destination:
            return _Spread(tuple(await self._find_hearers(item)))
        destination = self._destinations.get(item.destination)
        worded = None if destination is None else await _worded(item, self._store, destination.part)
        if destination is None or worded is None:
            return _Delivery(item.sent or "", item.remote, is_news=False)
        return await self._deliver(item, worded, destination.channel, lease)

    async def _find_hearers(self, item: DueMessage) -> list[str]:
        every = list(self._destinations.values())
        is_asked = any(each.part is not None for each in every)
        about = await _read_about(item, self._store) if is_asked else None
        return [each.name for each in every if hears(each, about)]

    async def _deliver(self, item: DueMessage, worded: _Worded, channel: Channel, lease: Lease) -> _Delivery:
        message = worded.message.with_page(pages.page_address(self._page, worded.path))
        fingerprint = message.fingerprint if channel.can_update else worded.milestone
        if fingerprint == item.sent:
            return _Delivery(fingerprint, item.remote, is_news=False)
        if item.is_known_before:
            return await self._take_up(item, message, fingerprint, channel, lease)
        remote = item.remote if channel.can_update else None
        await lease.check()
        if remote is not None:
            try:
                await channel.update(remote, item.key, message)
            except Failure as failure:
                if failure.trouble is not Trouble.MISSING:
                    raise
                remote = None
        if remote is None:
            since = item.created_at - _EARLIER if item.attempts > 1 and item.remote is None else None
            thread = await self._store.remote_of(worded.below, item.destination) if worded.below else None
            remote = await channel.post(item.key, message, thread=thread, maybe_sent_since=since)
        return _Delivery(fingerprint, remote, is_news=True)

    async def _take_up(
        self, item: DueMessage, message: Message, fingerprint: str, channel: Channel, lease: Lease
    ) -> _Delivery:
        """What may have been told before the store was lost is not told anew. A message that stands there is found,
        and edited at once where this one tells of all that it tells of, else once there is news."""
        if not isinstance(channel, FindsMessages):
            return _Delivery(fingerprint, None, is_news=False)
        sent = await channel.find(message, item.created_at - _LOOKED_BACK)
        if sent is not None and sent.about <= set(message.about):
            await lease.check()
            try:
                await channel.update(sent.remote, item.key, message)
            except Failure as failure:
                if failure.trouble is not Trouble.MISSING:
                    raise
                sent = None
        return _Delivery(fingerprint, None if sent is None else sent.remote, is_news=False)

    async def settle(self, item: DueMessage, result: _Spread | _Delivery) -> None:
        if isinstance(result, _Spread):
            await self._store.spread(item, result.destinations)
            return
        await self._store.message_sent(item, result.fingerprint, result.remote, self._rest)
        self.sent += result.is_news

    async def failed(self, item: DueMessage, claimed: Claimed, failure: Failure, now: datetime) -> str:
        await put_off_by_backoff(self.queue, claimed, failure, now)
        return str(failure)

    def is_hosts(self, failure: Failure) -> bool:
        return failure.trouble not in _OF_ONE_MESSAGE

    def excuse(self, host: str, failure: Failure) -> str:
        return str(failure)


async def _read_about(item: DueMessage, store: ReportStore) -> About | None:
    kind, _, number = item.key.partition(":")
    match kind:
        case "rollout" | "wave":
            return await store.about(int(number.partition(":")[0]))
        case "pause":
            pause = await store.pause(int(number))
            return None if pause.rollout is None else await store.about(pause.rollout)
        case "notice":
            notices = await store.notice(int(number))
            names = {name for each in notices for name in each.repositories}
            return About(tuple(sorted(names)), bases=tuple(each.base for each in notices))
        case "incident":
            trouble = await store.incident(int(number))
            return About((trouble.place,), fleet=True) if trouble.kind in OF_REPOSITORY else None
        case "summary" | "first_run":
            return About(await store.fleet(), fleet=True)
        case _:
            return None


async def _worded(due: DueMessage, store: ReportStore, part: Match | None) -> _Worded | None:
    """The message as the present state has it; None where there is nothing to say."""
    kind, _, number = due.key.partition(":")
    match kind:
        case "incident":
            news = await store.incident(int(number))
            return _Worded(incident_message(news), "cleared" if news.cleared_at else "opened", pages.OPERATIONS)
        case "notice":
            notices = await store.notice(int(number))
            milestone = "cleared" if all(each.cleared_at for each in notices) else "opened"
            path = pages.base_path(notices[0].base) if len(notices) == 1 else pages.UPSTREAM
            return _Worded(notice_message(notices), milestone, path)
        case "pause":
            pause = await store.pause(int(number))
            milestone = "over" if pause.until else "paused"
            if pause.rollout is None:
                return _Worded(pause_message(pause), milestone, pages.OPERATIONS)
            path = pages.rollout_path(pause.rollout)
            return _Worded(pause_message(pause), milestone, path, f"rollout:{pause.rollout}")
        case "quarantine":
            quarantine = await store.quarantine(int(number))
            return _Worded(quarantine_message(quarantine), quarantine.milestone, pages.base_path(quarantine.base))
        case "wave":
            return await _word_wave(number, store, part)
        case "first_run":
            only = None if part is None else part_of(part, await store.fleet())
            first = first_run_message(await store.first_run(only))
            return None if first is None else _Worded(first, "told")
        case "summary":
            only = None if part is None else part_of(part, await store.fleet())
            return _Worded(brief_summary(await store.summary(int(number), only)), "summed up", pages.FLEET)
    rollout = await store.rollout(int(number), await _repositories_of_part(int(number), store, part))
    milestone = "ended" if rollout.ended_at else "opened"
    return _Worded(rollout_message(rollout), milestone, pages.rollout_path(int(number)))


async def _word_wave(key: str, store: ReportStore, part: Match | None) -> _Worded | None:
    number, _, name = key.partition(":")
    news = await store.wave(int(number), name, await _repositories_of_part(int(number), store, part))
    message = wave_message(news)
    if message is None:
        return None
    path = pages.rollout_path(int(number))
    return _Worded(message, "failed" if news.failed else "through", path, below=f"rollout:{number}")


async def _repositories_of_part(rollout: int, store: ReportStore, part: Match | None) -> frozenset[str] | None:
    """The repositories whose part of a rollout is told; None for all of them."""
    return None if part is None else part_of(part, (await store.about(rollout)).repositories)
