"""One tick: messages that are due are worded from the present state and posted, or updated in place."""

from dataclasses import dataclass
from datetime import timedelta

from bot.domain.backoff import rest_after
from bot.domain.clock import Clock
from bot.domain.failure import Failure, LeaseLost, Trouble
from bot.report.blocks import Message
from bot.report.news import incident_message, notice_message
from bot.report.ports import Channel, DueMessage, ReportStore
from bot.report.rollout_message import rollout_message

_BATCH = 20
_OF_ONE_MESSAGE = frozenset({Trouble.MALFORMED, Trouble.CONFLICT})
_EARLIER = timedelta(minutes=1)
"""Clocks differ: a lost message may bear a time a little before the one when it was wanted."""


@dataclass(frozen=True, slots=True)
class ReportTally:
    sent: int = 0
    problems: tuple[str, ...] = ()


async def tick(store: ReportStore, channel: Channel, clock: Clock) -> ReportTally:
    """Sends until nothing is due; a channel that does not answer ends the tick, and the next one goes on.

    A message that the channel does not understand keeps no other from being sent.
    """
    sent = 0
    problems: list[str] = []
    silent: Failure | None = None
    while silent is None and (batch := await store.claim_messages(_BATCH)):
        for due in batch:
            try:
                if silent is not None:
                    await store.message_failed(due, str(silent), clock.now() + _pause(silent, due))
                    continue
                sent += await _send(due, store, channel)
            except LeaseLost:
                continue
            except Failure as failure:
                problems.append(str(failure))
                silent = failure if failure.trouble not in _OF_ONE_MESSAGE else None
                await _failed(due, failure, store, clock)
    return ReportTally(sent, tuple(problems))


async def _failed(due: DueMessage, failure: Failure, store: ReportStore, clock: Clock) -> None:
    try:
        await store.message_failed(due, str(failure), clock.now() + _pause(failure, due))
    except LeaseLost:
        return


async def _send(due: DueMessage, store: ReportStore, channel: Channel) -> int:
    message, milestone = await _worded(due, store)
    fingerprint = message.fingerprint if channel.can_update else milestone
    if fingerprint == due.sent:
        await store.message_sent(due, fingerprint, due.remote)
        return 0
    remote = due.remote if channel.can_update else None
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
