"""A publisher of feeds that serves what a test gives it."""

from dataclasses import dataclass, field, replace

from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, Trouble
from bot.domain.feeds.document import FeedSource, Fetched, NewContent, NotFetched, StoredDocument, Unchanged


@dataclass
class Publisher:
    """Serves bodies by address; a `Failure` in place of a body is what the fetch ends in."""

    clock: ManualClock
    bodies: dict[str, bytes | Failure]
    asked: list[str] = field(default_factory=list)

    async def fetch(self, source: FeedSource, previous: StoredDocument | None) -> Fetched:
        self.asked.append(source.url)
        body = self.bodies.get(source.url, Failure(Trouble.MISSING, "is not there (404)", where=source.url))
        now = self.clock.now()
        if isinstance(body, Failure):
            return NotFetched(body)
        if previous is not None and previous.body == body:
            return Unchanged(replace(previous, checked_at=now))
        return NewContent(StoredDocument(source.url, None, None, body, now, now))
