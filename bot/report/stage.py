"""One tick: messages that are due are worded from the present state and posted, or updated in place."""

from dataclasses import dataclass
from datetime import timedelta

from bot.domain.clock import Clock
from bot.domain.failure import Failure, LeaseLost, Trouble
from bot.domain.resting import rest_after
from bot.report.message import Message, incident_message, notice_message, rollout_message
from bot.report.ports import Channel, DueMessage, ReportStore

_BATCH = 20
_EARLIER = timedelta(minutes=1)
"""Clocks differ: a lost message may bear a time a little before the one when it was wanted."""


@dataclass(frozen=True, slots=True)
class ReportTally:
    sent: int = 0
    problems: tuple[str, ...] = ()


async def tick(store: ReportStore, channel: Channel, clock: Clock) -> ReportTally:
    """Sends until nothing is due; a channel that does not answer ends the tick, and the next one goes on."""
    sent = 0
    while batch := await store.claim_messages(_BATCH):
        failed: Failure | None = None
        for due in batch:
            try:
                if failed is not None:
                    await store.message_failed(due, str(failed), clock.now() + _pause(failed, due))
                    continue
                sent += await _send(due, store, channel)
            except Failure as failure:
                failed = failure
                await store.message_failed(due, str(failure), clock.now() + _pause(failure, due))
            except LeaseLost:
                continue
        if failed is not None:
            return ReportTally(sent, (str(failed),))
    return ReportTally(sent)


async def _send(due: DueMessage, store: ReportStore, channel: Channel) -> int:
    message, milestone = await _worded(due, store)
    fingerprint = message.fingerprint if channel.can_update else milestone
    if fingerprint == due.sent:
        await store.message_sent(due, fingerprint, due.remote)
        return 0
    remote = due.remote
    if remote is not None:
        try:
            await channel.update(remote, due.key, message.text, message.blocks)
        except Failure as failure:
            if failure.trouble is not Trouble.MISSING:
                raise
            remote = None
    if remote is None:
        since = due.created_at - _EARLIER if due.attempts > 1 and due.remote is None else None
        remote = await channel.post(due.key, message.text, message.blocks, since)
    await store.message_sent(due, fingerprint, remote)
    return 1


async def _worded(due: DueMessage, store: ReportStore) -> tuple[Message, str]:
    """The message and its milestone, which is all that a channel without updates is told."""
    kind, _, number = due.key.partition(":")
    if kind == "incident":
        news = await store.incident(int(number))
        return incident_message(news), "cleared" if news.cleared_at else "opened"
    if kind == "notice":
        told = await store.notice(int(number))
        return notice_message(told), "cleared" if all(item.cleared_at for item in told) else "opened"
    rollout = await store.rollout(int(number))
    return rollout_message(rollout), "ended" if rollout.ended_at else "opened"


def _pause(failure: Failure, due: DueMessage) -> timedelta:
    return failure.retry_after or rest_after(due.attempts)
