"""What reporting needs of the store."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.fleet.report.destinations import About
from bot.fleet.report.messages.first_run import FirstRunNews
from bot.fleet.report.messages.news import IncidentNews, NoticeNews
from bot.fleet.report.messages.rollout_news import RolloutNews
from bot.fleet.report.messages.stops import PauseNews, QuarantineNews
from bot.fleet.report.messages.waves import WaveNews
from bot.reconcile.work import Queue
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
