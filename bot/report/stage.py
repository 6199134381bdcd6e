"""One tick: messages that are due are worded from the present state and posted, or updated in place."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.failure import Failure, Trouble
from bot.domain.wording.message import Message
from bot.reconcile.loop import Loop
from bot.reconcile.work import Claimed, Lease, Queue, Work, put_off_by_backoff
from bot.report.news import incident_message, notice_message
from bot.report.ports import Channel, DueMessage, ReportStore
from bot.report.rollout_message import rollout_message
from bot.report.stops import pause_message, quarantine_message

_OF_ONE_MESSAGE = frozenset({Trouble.MALFORMED, Trouble.CONFLICT})
_EARLIER = timedelta(minutes=1)
"""Clocks differ: a lost message may bear a time a little before the one when it was wanted."""


@dataclass(frozen=True, slots=True)
class ReportTally:
    sent: int = 0
    problems: tuple[str, ...] = ()


async def tick(store: ReportStore, channel: Channel, loop: Loop) -> ReportTally:
    """Sends until nothing is due; a channel that does not answer ends the tick, and a later one goes on.

    A message that the channel does not understand keeps no other from being sent.
    """
    messages = _Messages(store, channel)
    tally = await loop.run(messages)
    return ReportTally(messages.sent, tuple(tally.problems))


@dataclass(frozen=True, slots=True)
class _Told:
    """What the channel has now, and where; `is_news` where it had to be sent for that."""

    fingerprint: str
    remote: dict[str, str] | None
    is_news: bool


class _Messages(Work[DueMessage, _Told]):
    """One at a time, in the order in which they were announced."""

    stage = "report"
    at_once = 1
    home = "the channel"

    def __init__(self, store: ReportStore, channel: Channel) -> None:
        self._store = store
        self._channel = channel
        self.sent = 0

    @property
    def queue(self) -> Queue[DueMessage]:
        return self._store.messages

    async def attempt(self, item: DueMessage, lease: Lease) -> _Told:
        message, milestone = await _worded(item, self._store)
        channel = self._channel
        fingerprint = message.fingerprint if channel.can_update else milestone
        if fingerprint == item.sent:
            return _Told(fingerprint, item.remote, is_news=False)
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
            remote = await channel.post(item.key, message, since)
        return _Told(fingerprint, remote, is_news=True)

    async def settle(self, item: DueMessage, result: _Told) -> None:
        await self._store.message_sent(item, result.fingerprint, result.remote)
        self.sent += result.is_news

    async def failed(self, item: DueMessage, claimed: Claimed, failure: Failure, now: datetime) -> str:
        await put_off_by_backoff(self.queue, claimed, failure, now)
        return str(failure)

    def is_hosts(self, failure: Failure) -> bool:
        return failure.trouble not in _OF_ONE_MESSAGE

    def excuse(self, host: str, failure: Failure) -> str:
        return str(failure)


async def _worded(due: DueMessage, store: ReportStore) -> tuple[Message, str]:
    """The message and its milestone, which is all that a channel without updates is told."""
    kind, _, number = due.key.partition(":")
    if kind == "incident":
        news = await store.incident(int(number))
        return incident_message(news), "cleared" if news.cleared_at else "opened"
    if kind == "notice":
        told = await store.notice(int(number))
        return notice_message(told), "cleared" if all(item.cleared_at for item in told) else "opened"
    if kind == "pause":
        stopped = await store.pause(int(number))
        return pause_message(stopped), "over" if stopped.until else "paused"
    if kind == "quarantine":
        kept = await store.quarantine(int(number))
        return quarantine_message(kept), "over" if kept.until else "quarantined"
    rollout = await store.rollout(int(number))
    return rollout_message(rollout), "ended" if rollout.ended_at else "opened"
