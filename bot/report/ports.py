"""What reporting needs of the store and the channel."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.wording.message import Message
from bot.reconcile.work import Queue
from bot.report.news import IncidentNews, NoticeNews
from bot.report.rollout_news import RolloutNews
from bot.report.stops import PauseNews, QuarantineNews


@dataclass(frozen=True, slots=True)
class DueMessage:
    """`wanted` counts the announcements so far; `sent` is the fingerprint of the text that the channel has,
    `remote` where it stands there.
    """

    id: int
    key: str
    wanted: int
    sent: str | None
    remote: dict[str, str] | None
    attempts: int
    created_at: datetime


class ReportStore(Protocol):
    @property
    def messages(self) -> Queue[DueMessage]:
        """Those that the channel does not have in their newest words."""
        ...

    async def message_sent(self, message: DueMessage, fingerprint: str, remote: dict[str, str] | None) -> None: ...

    async def rollout(self, id: int) -> RolloutNews: ...  # noqa: A002 - the word of the language

    async def incident(self, id: int) -> IncidentNews: ...  # noqa: A002

    async def pause(self, id: int) -> PauseNews: ...  # noqa: A002

    async def quarantine(self, id: int) -> QuarantineNews: ...  # noqa: A002

    async def notice(self, id: int) -> Sequence[NoticeNews]:  # noqa: A002
        """Everything that this message tells of."""
        ...


class Channel(Protocol):
    """Where maintainers read. One that cannot update gets a message when a rollout begins and when it ends."""

    @property
    def can_update(self) -> bool: ...

    async def post(self, key: str, message: Message, maybe_sent_since: datetime | None) -> dict[str, str] | None:
        """Posts once, and answers where; None where the channel does not tell."""
        ...

    async def update(self, remote: dict[str, str], key: str, message: Message) -> None: ...
