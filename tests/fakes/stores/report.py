"""Messages as the outbox keeps them, in memory: `report.ports.ReportStore`."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bot.domain.clock import Clock
from bot.fleet.report.destinations import About
from bot.fleet.report.messages.first_run import FirstRunNews
from bot.fleet.report.messages.news import IncidentNews, NoticeNews
from bot.fleet.report.messages.rollout import RolloutNews
from bot.fleet.report.messages.stops import PauseNews, QuarantineNews
from bot.fleet.report.messages.waves import WaveNews
from bot.fleet.report.tick import DueMessage
from bot.views.fleet.summary import Summary
from tests.builders import NOON, change, rollout
from tests.fakes.queue import FakeQueue, Row


class FakeReportStore:
    """A rollout that is not in `rollouts` is an ordinary one, and so is every incident; waves, summaries, notices,
    pauses and quarantines are those that a test puts here."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.told: dict[int, int] = {}
        self._rests_until: dict[int, datetime] = {}
        self.messages: FakeQueue[DueMessage] = FakeQueue(is_wanted=self._is_untold, shown=_with_attempts)
        self.rollouts: dict[int, RolloutNews] = {}
        self.waves: dict[str, WaveNews] = {}
        self.summaries: dict[int, Summary] = {}
        self.first: FirstRunNews | None = None
        self.notices: dict[int, Sequence[NoticeNews]] = {}
        self.pauses: dict[int, PauseNews] = {}
        self.quarantines: dict[int, QuarantineNews] = {}
        self.lost = False
        """Whether another sends each message before this worker has stored that it did."""

    def announce(self, key: str = "rollout:3", destination: str = "", **values: Any) -> None:
        now = self._clock.now()
        row = self._row(key, destination) or self._add(key, destination, now)
        if not row.attempts:
            row.due_at = max(now, self._rests_until.get(row.id, now))
        known = self.messages[row.id]
        self.messages[row.id] = replace(known, wanted=known.wanted + 1, **values)

    def row(self, key: str, destination: str = "") -> Row[DueMessage]:
        row = self._row(key, destination)
        assert row is not None
        return row

    def _row(self, key: str, destination: str) -> Row[DueMessage] | None:
        rows = self.messages.rows
        return next(
            (row for number, row in rows.items() if _place(self.messages[number]) == (key, destination)), None
        )

    def _add(self, key: str, destination: str, now: datetime) -> Row[DueMessage]:
        new = DueMessage(len(self.messages.rows) + 1, key, 0, None, None, 0, now, destination)
        return self.messages.add(new, now, key, new.id)

    async def spread(self, message: DueMessage, destinations: Collection[str]) -> None:
        self.messages.settle(message.id, self._clock.now())
        for name in sorted(destinations):
            self.announce(message.key, name)
        self.told[message.id] = message.wanted

    async def message_sent(
        self, message: DueMessage, fingerprint: str, remote: dict[str, str] | None, rest: timedelta
    ) -> None:
        if self.lost:
            self.told[message.id] = message.wanted
            self.messages.steal(message.id)
        until = self._clock.now() + rest
        sent = replace(self.messages[message.id], sent=fingerprint, remote=remote, is_known_before=False)
        self.messages.settle(message.id, until, sent)
        self.told[message.id], self._rests_until[message.id] = message.wanted, until

    async def remote_of(self, key: str, destination: str) -> dict[str, str] | None:
        row = self._row(key, destination)
        return None if row is None else self.messages[row.id].remote

    async def about(self, rollout: int) -> About:
        return About(("contoso/shop",), (change(),))

    async def fleet(self) -> tuple[str, ...]:
        return ("contoso/shop",)

    async def first_run(self, only: Collection[str] | None = None) -> FirstRunNews:
        assert self.first is not None
        return self.first

    async def summary(self, id: int, only: Collection[str] | None = None) -> Summary:  # noqa: A002
        return self.summaries[id]

    async def wave(self, rollout: int, name: str, only: Collection[str] | None = None) -> WaveNews:
        return self.waves[name]

    async def rollout(self, id: int, only: Collection[str] | None = None) -> RolloutNews:  # noqa: A002
        return self.rollouts.get(id, rollout())

    async def incident(self, id: int) -> IncidentNews:  # noqa: A002
        return IncidentNews("mcr.microsoft.com", NOON, None, "no answer")

    async def pause(self, id: int) -> PauseNews:  # noqa: A002
        return self.pauses[id]

    async def quarantine(self, id: int) -> QuarantineNews:  # noqa: A002
        return self.quarantines[id]

    async def notice(self, id: int) -> Sequence[NoticeNews]:  # noqa: A002
        return self.notices[id]

    def _is_untold(self, row: Row[DueMessage]) -> bool:
        return isinstance(row.item, DueMessage) and row.item.wanted > self.told.get(row.id, 0)


def _place(message: DueMessage) -> tuple[str, str]:
    return message.key, message.destination


def _with_attempts(message: DueMessage, row: Row[DueMessage]) -> DueMessage:
    return replace(message, attempts=row.attempts)
